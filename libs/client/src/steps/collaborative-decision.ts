import type { Assignees, Option, Quorum } from '@umpire/contract';
import { Step, type PipelineData, type RunOptions, type StepConfig } from './step.ts';

export type CollaborativeConfig = StepConfig & {
  /** User ids, or users, groups and roles. */
  stakeholders: string[] | Assignees;
  /** Consensus by default. */
  decision_type?: Quorum | undefined;
  /** Approve and reject by default. */
  voting_options?: Option[] | undefined;
  /** Seconds; a day. */
  decision_timeout?: number | undefined;
};

export type CollaborativeDecisionPending = {
  status: 'collaborative_decision_pending';
  decision_id: string;
  /** The same id. */
  interaction_id: string;
  stakeholders: string[] | Assignees;
  decision_type: Quorum;
  voting_options: Option[];
  timeout: number;
  data: PipelineData;
};

/** Several people decide one thing together. */
export class CollaborativeDecisionStep extends Step<CollaborativeConfig, CollaborativeDecisionPending> {
  async run(data: PipelineData, options: RunOptions = {}): Promise<CollaborativeDecisionPending> {
    const { stakeholders, decision_type = 'consensus', voting_options = ['approve', 'reject'], decision_timeout = 24 * 3_600 } = this.config;
    const assignees = Array.isArray(stakeholders) ? { users: stakeholders } : stakeholders;
    const { interaction_id } = await this.ask({ data }, { pattern: 'collaborative', assignees, quorum: decision_type, options: voting_options, timeout_seconds: decision_timeout }, options);
    return { status: 'collaborative_decision_pending', decision_id: interaction_id, interaction_id, stakeholders, decision_type, voting_options, timeout: decision_timeout, data };
  }
}
