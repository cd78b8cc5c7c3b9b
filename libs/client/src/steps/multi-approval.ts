import type { Assignees, Quorum } from '@umpire/contract';
import { forms } from './forms.ts';
import { Step, type PipelineData, type RunOptions, type StepConfig } from './step.ts';

export type MultiApprovalConfig = StepConfig & {
  /** User ids, or users, groups and roles. */
  approvers: string[] | Assignees;
  /** The seed's `all` (by default), `majority` and `any`, and the other quorums. */
  approval_type?: Quorum | undefined;
  /** Seconds; the server's default is an hour. */
  timeout?: number | undefined;
};

export type MultiApprovalPending = {
  status: 'multi_approval_pending';
  approval_id: string;
  /** The same id. */
  interaction_id: string;
  approvers: string[] | Assignees;
  approval_type: Quorum;
  data: PipelineData;
};

/** One question to several approvers, one vote each, one outcome: settled as soon as the rest cannot change it. */
export class MultiApprovalStep extends Step<MultiApprovalConfig, MultiApprovalPending> {
  async run(data: PipelineData, options: RunOptions = {}): Promise<MultiApprovalPending> {
    const { approvers, approval_type = 'all', timeout } = this.config;
    const assignees = Array.isArray(approvers) ? { users: approvers } : approvers;
    const own = { pattern: 'approval' as const, assignees, quorum: approval_type, ui_schema: forms.approval() };
    const { interaction_id } = await this.ask({ data }, { ...own, ...(timeout === undefined ? {} : { timeout_seconds: timeout }) }, options);
    return { status: 'multi_approval_pending', approval_id: interaction_id, interaction_id, approvers, approval_type, data };
  }
}
