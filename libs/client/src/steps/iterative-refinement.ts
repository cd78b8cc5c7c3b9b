import type { UiSchema } from '@umpire/contract';
import type { SettledOutcome } from '../types.ts';
import { forms } from './forms.ts';
import { Step, type PipelineData, type RunOptions, type StepConfig } from './step.ts';

export type RefinementConfig = StepConfig & {
  /** Rounds in all; three. */
  max_iterations?: number | undefined;
  /** Seconds for each round; the server's default is an hour. */
  timeout?: number | undefined;
};

export type RefinementNeeded = {
  status: 'refinement_needed';
  interaction_id: string;
  iteration: number;
  current_result: unknown;
  refinement_history: unknown;
  ui_schema: UiSchema;
};
export type MaxIterationsReached = { status: 'max_iterations_reached'; final_result: unknown; iterations_completed: number };

/**
 * People improve a result, round by round. The server counts and keeps the rounds in one interaction: a round that asks for another
 * begins it there, so one `outcome` waits for all of them. `data.iteration` can end it early and never starts it anew.
 */
export class IterativeRefinementStep extends Step<RefinementConfig, RefinementNeeded | MaxIterationsReached> {
  async run(data: PipelineData, options: RunOptions = {}): Promise<RefinementNeeded | MaxIterationsReached> {
    const { max_iterations = 3, timeout } = this.config;
    const given = typeof data['iteration'] === 'number' ? data['iteration'] : 1;
    if (given > max_iterations) return { status: 'max_iterations_reached', final_result: data['current_result'], iterations_completed: given - 1 };
    const { interaction_id, before } = await this.ask({ data }, { pattern: 'refinement', max_iterations, ...(timeout === undefined ? {} : { timeout_seconds: timeout }) }, options);
    if (before?.outcome?.max_iterations_reached) return this.conclude(before.outcome);
    const iteration = before?.iteration ?? 1;
    const current_result = data['current_result'] ?? data;
    return { status: 'refinement_needed', interaction_id, iteration, current_result, refinement_history: data['refinement_history'] ?? [], ui_schema: forms.refinement(iteration, current_result) };
  }

  /** What came of it, in the seed's words. */
  conclude({ response, iterations }: Pick<SettledOutcome, 'response' | 'iterations'>): MaxIterationsReached {
    const final_result = typeof response === 'object' && response !== null && 'refined_result' in response ? response.refined_result : response;
    return { status: 'max_iterations_reached', final_result, iterations_completed: iterations };
  }
}
