import { AckPolicy, DeliverPolicy, JetStreamApiError } from '@nats-io/jetstream';
import type { Operator } from './operator.ts';

/** One event as the restore drill needs it; of what cannot be read, only where it is. */
export type ToldEvent = { stream_seq: number; subject: string } & ({ unreadable: true } | {
  namespace: string; request_id: string; seq: number; type: string; occurred_at: string; verdict?: string | null; source?: string;
});

/** What the drill forgets: the store makes both again and publishes what its database holds. */
const FORGOTTEN = ['HITL_EVENTS', 'HITL_OUTCOMES'];
const IDLE_NS = 60e9;
const STREAM_NOT_FOUND = 10_059;

/**
 * Reads every event that the events stream was given since then, in its order: what a backup of that time does not know.
 * @returns how many there were
 */
export async function eventsSince({ target: { jsm, streamName }, jetstream }: Operator, start: Date, tell: (event: ToldEvent) => void): Promise<number> {
  const stream = streamName('HITL_EVENTS');
  const { name, num_pending: pending } = await jsm.consumers.add(stream, { ack_policy: AckPolicy.None, deliver_policy: DeliverPolicy.StartTime, opt_start_time: start.toISOString(), inactive_threshold: IDLE_NS });
  try {
    if (pending === 0) return 0;
    const consumer = await jetstream.consumers.get(stream, name);
    let count = 0;
    for await (const message of await consumer.consume()) {
      tell({ stream_seq: message.seq, subject: message.subject, ...factsOf(message.string()) });
      count += 1;
      if (message.info.pending === 0) break;
    }
    return count;
  } finally {
    await jsm.consumers.delete(stream, name).catch(() => undefined);
  }
}

type Facts = { unreadable: true } | { namespace: string; request_id: string; seq: number; type: string; occurred_at: string; verdict?: string | null; source?: string };

function factsOf(text: string): Facts {
  try {
    const { namespace, request_id, seq, type, occurred_at, data } = JSON.parse(text);
    const { verdict, source } = data?.outcome ?? {};
    return { namespace, request_id, seq, type, occurred_at, verdict, source };
  } catch {
    return { unreadable: true };
  }
}

/** Deletes the streams of events and outcomes. @returns those that were there, by their names on the server */
export async function forgetStreams({ target: { jsm, streamName } }: Operator): Promise<string[]> {
  const gone: string[] = [];
  for (const stream of FORGOTTEN.map(streamName)) {
    try {
      await jsm.streams.delete(stream);
      gone.push(stream);
    } catch (error) {
      if (!(error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND)) throw error;
    }
  }
  return gone;
}
