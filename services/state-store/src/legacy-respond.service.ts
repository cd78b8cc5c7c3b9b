import { mapHumanReviewDecision, UmpireError, type Principal } from '@umpire/contract';
import { counter, withDeadline, type Logger, type Sql } from '@umpire/runtime';
import { reviewer } from './actor.ts';
import { findTaskEscalations } from './legacy-respond.queries.ts';
import type { Reads } from './read.service.ts';
import type { RespondAccepted, Responses } from './respond.service.ts';

const READ_MS = 3_000;
const answered = counter('umpire_store_deprecated_decisions_total', 'Deprecated HumanReviewDecision bodies posted');

/** Takes the deprecated form of a decision, which names a task and not an escalation. */
export class LegacyResponses {
  private readonly sql: Sql;
  private readonly reads: Reads;
  private readonly responses: Responses;
  private readonly logger: Logger;

  constructor(sql: Sql, reads: Reads, responses: Responses, logger: Logger) {
    this.sql = sql;
    this.reads = reads;
    this.responses = responses;
    this.logger = logger;
  }

  /**
   * Answers the task's only pending escalation of the caller's namespace. Without one the newest of the task is asked, so that the
   * same person saying the same again is told what they were told before, and everyone else the real outcome.
   * @throws UmpireError `invalid` naming the fields of the old form; `conflict` where it is not clear, or unknown, which is meant
   */
  async respond(principal: Principal, body: unknown): Promise<RespondAccepted> {
    answered.inc();
    const mapped = decisionIn(body);
    reviewer(principal, mapped.userId);
    const request_id = await this.escalationOf(principal.namespace, mapped.taskId);
    this.logger.warn({ namespace: principal.namespace, key_id: principal.key_id, request_id }, 'deprecated_decision');
    const { rules } = await this.reads.state({ namespace: principal.namespace, request_id });
    return this.responses.respond(principal, { interaction_id: request_id, user_input: { ...decisionIn(body, rules.verdict_field).userInput } });
  }

  private async escalationOf(namespace: string, taskId: string): Promise<string> {
    const { pending, newest } = await withDeadline(findTaskEscalations(this.sql, namespace, taskId), READ_MS, 'escalations of a task');
    if (pending.length > 1) throw new UmpireError('conflict', 'more than one escalation of this task is pending: answer one by its interaction_id', { extra: { interaction_ids: pending } });
    const found = pending[0] ?? newest;
    if (found === null) throw new UmpireError('conflict', 'no escalation of this task is pending');
    return found;
  }
}

function decisionIn(body: unknown, verdictField?: string) {
  const mapping = mapHumanReviewDecision(body, verdictField);
  if (!mapping.ok) throw new UmpireError('invalid', 'some fields are not valid', { errors: mapping.errors });
  return mapping.mapped;
}
