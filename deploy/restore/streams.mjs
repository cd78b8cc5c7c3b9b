/**
 * For the restore drill of ../runbook.md, when Postgres goes back to a backup and JetStream is newer.
 *
 *   UMPIRE_NATS_URL=nats://… node deploy/restore/streams.mjs since 2026-01-15T10:30:00Z    what happened since: JSON lines
 *   UMPIRE_NATS_URL=nats://… node deploy/restore/streams.mjs forget                         deletes HITL_EVENTS and HITL_OUTCOMES
 */
import { AckPolicy, DeliverPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

const EVENTS = 'HITL_EVENTS';
const [verb, since] = process.argv.slice(2);
const url = new URL(process.env.UMPIRE_NATS_URL ?? 'nats://127.0.0.1:4222');
const nats = await connect({ servers: url.host, ...(url.username ? { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } : {}) });
try {
  if (verb === 'since' && Number.isFinite(Date.parse(since ?? ''))) await list(new Date(since));
  else if (verb === 'forget') await forget();
  else {
    process.stderr.write('since <RFC 3339 time>, or forget\n');
    process.exitCode = 1;
  }
} finally {
  await nats.close();
}

/** Every event of the stream since then, one line each: what the backup does not know. */
async function list(start) {
  const manager = await jetstreamManager(nats);
  const { name, num_pending: count } = await manager.consumers.add(EVENTS, { ack_policy: AckPolicy.None, deliver_policy: DeliverPolicy.StartTime, opt_start_time: start.toISOString(), inactive_threshold: 60e9 });
  if (count === 0) return;
  const consumer = await jetstream(nats).consumers.get(EVENTS, name);
  for await (const message of await consumer.consume()) {
    const { namespace, request_id, seq, type, occurred_at, data } = message.json();
    const { verdict, source } = data.outcome ?? {};
    process.stdout.write(`${JSON.stringify({ namespace, request_id, seq, type, occurred_at, verdict, source })}\n`);
    if (message.info.pending === 0) return;
  }
}

/** The store makes them again, and publishes seven days of what its database holds. */
async function forget() {
  const manager = await jetstreamManager(nats);
  for (const stream of [EVENTS, 'HITL_OUTCOMES']) await manager.streams.delete(stream);
}
