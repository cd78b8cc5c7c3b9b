import { subjects, uuidV5, type DeadLetter, type FieldError, type Reason } from '@umpire/contract';
import type { Bus, Logger } from '@umpire/runtime';
import { hash } from 'node:crypto';
import type { Answer } from './answer.ts';
import { rejectedTotal } from './intake.metrics.ts';
import { boundErrors } from './message/errors.ts';

const UUID_NAMESPACE = '029c0f1a-f75f-5fb5-86a0-281fd597d53c';

/** A message as it lay in its stream, or would have; `submission` names this message and no other. */
export type Rejected = { namespace: string; reason: Reason | 'unknown'; subject: string; submission: string; data: Uint8Array; errors: FieldError[] };

/**
 * Writes a dead letter and waits for the stream's ack. Its id and `Nats-Msg-Id` come from the message's place in its stream, so a
 * redelivery writes no second one within the window and carries the same id beyond it.
 * @throws UmpireError `unavailable` when there was no ack: the message must not be acked then.
 */
export async function publishDeadLetter(bus: Bus, { namespace, reason, subject, submission, data, errors }: Rejected): Promise<void> {
  const letter: DeadLetter = {
    id: uuidV5(UUID_NAMESPACE, `dead-letter\n${submission}`),
    subject,
    errors: boundErrors(errors),
    digest: hash('sha256', data, 'hex'),
    original: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
  };
  await bus.publish(subjects.rejected(namespace, reason), JSON.stringify(letter), { msgId: `intake:${submission}` });
}

/**
 * A message that is refused: dead letter, then counted and logged.
 * @throws UmpireError `unavailable` as above; nothing is counted then
 */
export async function refuse(bus: Bus, logger: Logger, rejected: Rejected, { request_id, status }: Answer): Promise<void> {
  const { namespace, reason, submission, errors } = rejected;
  await publishDeadLetter(bus, rejected);
  const codes = [...new Set(errors.map((error) => error.code))];
  for (const code of codes) rejectedTotal().inc({ namespace, reason, code });
  logger.warn({ namespace, reason, request_id, status, submission, codes }, 'message_rejected');
}
