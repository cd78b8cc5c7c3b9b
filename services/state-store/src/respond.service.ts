import type { Outcome, Principal } from '@umpire/contract';
import type { RespondReply } from '@umpire/domain';
import { reviewer } from './actor.ts';
import type { IfMatch } from './if-match.ts';
import { mayRead } from './read.service.ts';
import { refusalError, unknownEscalation } from './refusal.ts';
import type { RespondRequest } from './respond.schemas.ts';
import type { Transitions } from './transition.service.ts';

export type RespondAccepted = {
  status: 'accepted';
  message: 'Response submitted successfully';
  interaction_id: string;
  state: string;
  seq: number;
  outcome?: Outcome;
};

/** Takes a person's answer. Committed before it is told. */
export class Responses {
  private readonly transitions: Transitions;

  constructor(transitions: Transitions) {
    this.transitions = transitions;
  }

  /**
   * @param if_match the versions that the person was shown, if they say
   * @returns what the seed's API answers; the same for the same person and answer again
   * @throws UmpireError with the domain's refusal, carrying the real outcome where there is one
   */
  async respond(principal: Principal, request: RespondRequest, if_match?: IfMatch): Promise<RespondAccepted> {
    const actor = reviewer(principal, request.user_id);
    const executed = await this.transitions.execute({
      namespace: principal.namespace,
      request_id: request.interaction_id,
      command: { type: 'respond', actor, user_input: request.user_input, ...(request.revision === undefined ? {} : { revision: request.revision }) },
      ...(if_match === undefined ? {} : { if_match }),
    });
    if (!executed) throw unknownEscalation(request.interaction_id);
    const { decision, outcome } = executed;
    if (decision.refusal) throw refusalError(request.interaction_id, executed, mayRead(principal, decision.state));
    const reply = decision.reply as RespondReply;
    return {
      status: 'accepted',
      message: 'Response submitted successfully',
      interaction_id: request.interaction_id,
      state: reply.state,
      seq: reply.seq,
      // The state keeps the outcome with its id; the reply only says that this answer settled it.
      ...(reply.outcome && outcome ? { outcome } : {}),
    };
  }
}
