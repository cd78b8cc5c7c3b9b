import type { UiSchema } from '@umpire/contract';
import { forms } from './forms.ts';
import { Step, type PipelineData, type RunOptions, type StepConfig } from './step.ts';

export type TimedConfig = StepConfig & {
  /** Seconds; five minutes. */
  decision_timeout?: number | undefined;
  /** What holds if nobody decides in time. The seed's `proceed` fails open: here nothing is done unless it is named. */
  default_action?: 'proceed' | 'abort' | 'modify' | undefined;
};

export type TimeSensitiveDecision = {
  status: 'time_sensitive_decision';
  interaction_id: string;
  timeout_seconds: number;
  /** Null: without a decision it expires, which is neither approval nor denial. */
  default_action: string | null;
  ui_schema: UiSchema;
  data: PipelineData;
};

/** A decision that has to be made in time. The deadline is the server's: it passes whether or not this process runs. */
export class TimeBasedDecisionStep extends Step<TimedConfig, TimeSensitiveDecision> {
  async run(data: PipelineData, options: RunOptions = {}): Promise<TimeSensitiveDecision> {
    const { decision_timeout = 300, default_action = null } = this.config;
    const ui_schema = forms.urgent(decision_timeout);
    const { interaction_id } = await this.ask({ data }, { pattern: 'timed_decision', timeout_seconds: decision_timeout, ui_schema, ...(default_action === null ? {} : { default_action }) }, options);
    return { status: 'time_sensitive_decision', interaction_id, timeout_seconds: decision_timeout, default_action, ui_schema, data };
  }
}
