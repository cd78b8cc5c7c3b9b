import type { FieldError, Outcome, Verdict } from '@umpire/contract';

/**
 * What a producer is told about one message, at the subject in its `Umpire-Reply-To` header. `request_id` is null only where the
 * message named no usable one.
 */
export type Answer = {
  request_id: string | null;
  status: 'stored' | 'conflict' | 'rejected' | 'cancelled' | 'late' | 'tombstoned';
  duplicate: boolean;
  errors?: FieldError[];
  /** With `late`: what had been decided before the cancel came. */
  outcome?: Outcome;
};

/** A duplicate is stored, and says so beside it: the same as what POST answers. */
export function answerOf(verdict: Verdict): Answer {
  return {
    request_id: verdict.request_id,
    status: verdict.status === 'duplicate' ? 'stored' : verdict.status,
    duplicate: verdict.status === 'duplicate',
    ...(verdict.errors ? { errors: verdict.errors } : {}),
    ...(verdict.outcome ? { outcome: verdict.outcome } : {}),
  };
}

/** @returns why a verdict means that the message goes to the dead letters, or null if it does not. */
export function faultsOf(verdict: Verdict): FieldError[] | null {
  if (verdict.status === 'conflict') {
    return verdict.errors ?? [{ path: 'request_id', code: 'id_conflict', message: 'the same id was submitted before with other content' }];
  }
  if (verdict.status !== 'rejected') return null;
  return verdict.errors?.length ? verdict.errors : [{ path: '', code: 'invalid', message: 'the store refused it' }];
}
