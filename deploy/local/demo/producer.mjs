import { jetstream } from '@nats-io/jetstream';
import { connect, createInbox, headers } from '@nats-io/transport-node';

const OTHERS_DELAY_MS = 3_000;

/** A producer with its own NATS login and nothing more: publishes, hears verdicts, reads outcomes. */
export async function connectProducer({ nats_url: servers, nats: { producer } }) {
  const { user, pass, namespace, inbox_prefix: inboxPrefix, outcome_consumer: outcomeConsumer } = producer;
  const connection = await connect({ servers, user, pass, inboxPrefix, name: 'umpire-demo', maxReconnectAttempts: 5 });
  const js = jetstream(connection);
  let reading;
  return {
    /** Resolves at JetStream's ack (the message is on disk); `onVerdict(answer)` hears what became of it. */
    async publish({ reason, body }, onVerdict) {
      const inbox = createInbox(inboxPrefix);
      connection.subscribe(inbox, { max: 1, callback: (error, message) => (error ? undefined : onVerdict(message.json())) });
      const header = headers();
      header.set('Umpire-Reply-To', inbox);
      await js.publish(`hitl.${namespace}.review.${reason}`, body, { headers: header });
    },
    /** Acks the outcomes that `onOutcome(outcome)` says are ours, and leaves the others to whom they belong. */
    async readOutcomes(onOutcome) {
      const consumer = await js.consumers.get('HITL_OUTCOMES', outcomeConsumer);
      reading = await consumer.consume({
        callback: (message) => {
          if (onOutcome(message.json())) message.ack();
          else message.nak(OTHERS_DELAY_MS);
        },
      });
    },
    async close() {
      await reading?.close();
      await connection.close();
    },
  };
}
