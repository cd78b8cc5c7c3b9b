import { LIMITS, UmpireError, type Principal, type Problem } from '@umpire/contract';
import { toUmpireError, type Logger } from '@umpire/runtime';
import type { BulkBody, RespondRequest } from './respond.schemas.ts';
import type { RespondAccepted, Responses } from './respond.service.ts';

/** What came of one item: the status and the body that it would have had alone. */
export type BulkItem = { interaction_id: string; status: number } & ({ result: RespondAccepted } | { problem: Problem });
export type BulkReply = { accepted: number; refused: number; items: BulkItem[] };

/** Many answers in one request. Each stands alone: its own rules, its own commit, its own result, whatever becomes of the others. */
export class BulkResponses {
  private readonly responses: Responses;
  private readonly logger: Logger;

  constructor(responses: Responses, logger: Logger) {
    this.responses = responses;
    this.logger = logger;
  }

  /** @returns a result for each item, in order. Answers to the same escalation are given in the order in which they stand. */
  async respond(principal: Principal, { items }: BulkBody): Promise<BulkReply> {
    const before = new Map<string, Promise<unknown>>();
    const results = await Promise.all(items.map((item) => {
      const answered = (before.get(item.interaction_id) ?? Promise.resolve()).then(() => this.one(principal, item));
      before.set(item.interaction_id, answered);
      return answered;
    }));
    const accepted = results.filter((result) => 'result' in result).length;
    return { accepted, refused: results.length - accepted, items: results };
  }

  private async one(principal: Principal, item: RespondRequest): Promise<BulkItem> {
    try {
      if (Buffer.byteLength(JSON.stringify(item.user_input)) > LIMITS.answer) throw new UmpireError('too_large', `an answer may have ${LIMITS.answer} bytes`);
      return { interaction_id: item.interaction_id, status: 200, result: await this.responses.respond(principal, item) };
    } catch (thrown) {
      const error = toUmpireError(thrown);
      if (error.status >= 500) this.logger.error({ err: thrown }, 'bulk_item_failed');
      return { interaction_id: item.interaction_id, status: error.status, problem: error.toProblem() };
    }
  }
}
