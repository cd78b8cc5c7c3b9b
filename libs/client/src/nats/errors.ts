import { errors, type Msg } from '@nats-io/transport-node';
import { JetStreamApiError } from '@nats-io/jetstream';
import { ERROR_STATUS, UmpireError, type ErrorCode } from '@umpire/contract';

const ERROR_HEADER = 'Umpire-Error';
/** JetStream's "message size exceeds maximum allowed". */
const TOO_LARGE = 10_054;
const FULL = { code: 10_077, retrySeconds: 5 };

/** What a fault of the connection or of JetStream means to the caller. Everything but a refusal may pass. */
export function faultOf(error: unknown, what: string): UmpireError {
  if (error instanceof UmpireError) return error;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof errors.PermissionViolationError) return new UmpireError('forbidden', `${what}: ${cause.message}`, { cause: error });
    if (cause instanceof errors.AuthorizationError) return new UmpireError('unauthenticated', `${what}: ${cause.message}`, { cause: error });
    if (cause instanceof JetStreamApiError) return apiFault(cause, what);
  }
  return new UmpireError('unavailable', `${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}

function apiFault(error: JetStreamApiError, what: string): UmpireError {
  if (error.code === TOO_LARGE) return new UmpireError('too_large', `${what}: ${error.message}`, { cause: error });
  // The queue of this subject is full: the producer has to slow down.
  const extra = error.code === FULL.code ? { retry_after: FULL.retrySeconds } : {};
  return new UmpireError('unavailable', `${what}: ${error.message}`, { cause: error, extra });
}

/** @throws UmpireError with the responder's code, if the reply is a refusal */
export function checkReply(reply: Msg): void {
  const code = reply.headers?.get(ERROR_HEADER);
  if (!code) return;
  throw new UmpireError(Object.hasOwn(ERROR_STATUS, code) ? (code as ErrorCode) : 'internal', reply.string());
}
