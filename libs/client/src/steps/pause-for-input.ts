import type { UiSchema } from '@umpire/contract';
import { Step, type PipelineData, type RunOptions, type StepConfig } from './step.ts';

export type PauseForInputConfig = StepConfig & {
  /** The form; without one, any object is taken. */
  ui_schema?: UiSchema | undefined;
  /** Seconds; an hour. */
  timeout?: number | undefined;
};

export type HumanInputRequired = {
  status: 'human_input_required';
  interaction_id: string;
  ui_schema: UiSchema | Record<string, never>;
  prompt: string;
  timeout_seconds: number;
  data: PipelineData;
};

/** Pause and resume: waits for what a person fills in. */
export class PauseForInputStep extends Step<PauseForInputConfig, HumanInputRequired> {
  async run(data: PipelineData, options: RunOptions = {}): Promise<HumanInputRequired> {
    const { ui_schema, prompt = 'Please provide input', timeout = 3_600 } = this.config;
    const { interaction_id } = await this.ask({ data }, { pattern: 'input', prompt, timeout_seconds: timeout, ...(ui_schema === undefined ? {} : { ui_schema }) }, options);
    return { status: 'human_input_required', interaction_id, ui_schema: ui_schema ?? {}, prompt, timeout_seconds: timeout, data };
  }
}
