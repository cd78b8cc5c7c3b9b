import { UmpireError, type Outcome } from '@umpire/contract';
import type { Executed } from './transition.service.ts';

/**
 * A domain refusal as the error that people and clients see: its code, the fields at fault, where the escalation stands now, and
 * the real outcome if there is one.
 * @param knows whether the caller may read this escalation; who may not learns that it is settled, not how
 */
export function refusalError(requestId: string, { decision, outcome }: NonNullable<Executed>, knows = true): UmpireError {
  const { code, detail, errors, extra } = decision.refusal!;
  const settled = decision.state.status !== 'pending' && outcome !== null && knows ? { outcome: outcome satisfies Outcome } : {};
  return new UmpireError(code, detail, { errors: errors ?? [], extra: { ...extra, interaction_id: requestId, state: decision.state.status, ...settled } });
}

export function unknownEscalation(requestId: string): UmpireError {
  return new UmpireError('not_found', `no escalation has the id ${JSON.stringify(requestId)}`);
}
