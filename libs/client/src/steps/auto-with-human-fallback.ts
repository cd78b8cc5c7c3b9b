import type { Reason, UiSchema } from '@umpire/contract';
import { forms } from './forms.ts';
import { Step, type PipelineData, type RunOptions, type StepConfig, type StepSettings } from './step.ts';

export type FallbackConfig = StepConfig & {
  /** From 0 to 1; a result below it goes to a person. 0.8. */
  confidence_threshold?: number | undefined;
  /** Seconds; the server's default is an hour. */
  timeout?: number | undefined;
};

/** The automation. A result without a `confidence` has none. */
export type Process<Result> = (data: PipelineData, signal: AbortSignal | undefined) => Result | Promise<Result>;

export type AutomatedSuccess<Result> = { status: 'automated_success'; result: Result; processing_method: 'automated' };
export type EscalatedToHuman<Result> = {
  status: 'escalated_to_human';
  interaction_id: string;
  /** Null where an earlier process had asked already: the automation is not run again then. */
  escalation_reason: Reason | null;
  partial_result: Result | null;
  original_data: PipelineData;
  ui_schema: UiSchema;
};

type Failure<Result> = { reason: Reason; partial: Result | null; metadata: Record<string, unknown> };

const THRESHOLD = 0.8;

/**
 * Automatic where it is sure enough, a person where it is not or where it failed. The reason is one of the contract's; of an error only
 * its name goes out, since messages carry what nobody meant to send.
 */
export class AutoWithHumanFallbackStep<Result extends object> extends Step<FallbackConfig, AutomatedSuccess<Result> | EscalatedToHuman<Result>> {
  private readonly process: Process<Result>;
  private readonly describe: (error: unknown) => string;

  /** @param settings.describe what people may read of an error that the automation threw; its name by default */
  constructor({ process, describe = nameOf, ...settings }: StepSettings<FallbackConfig> & { process: Process<Result>; describe?: (error: unknown) => string }) {
    super(settings);
    this.process = process;
    this.describe = describe;
  }

  async run(data: PipelineData, options: RunOptions = {}): Promise<AutomatedSuccess<Result> | EscalatedToHuman<Result>> {
    if (options.key !== undefined) {
      const { interaction_id, before } = await this.find({ ...options, key: options.key });
      if (before) return this.escalated(interaction_id, data, { reason: before.outcome?.reason ?? null, partial: null });
    }
    const threshold = this.config.confidence_threshold ?? THRESHOLD;
    let result: Result;
    try {
      result = await this.process(data, options.signal);
    } catch (error) {
      options.signal?.throwIfAborted();
      return this.escalate(data, { reason: 'custom_rule', partial: null, metadata: { failure: 'error', error: this.describe(error) } }, options);
    }
    const confidence = confidenceOf(result);
    if (confidence >= threshold) return { status: 'automated_success', result, processing_method: 'automated' };
    return this.escalate(data, { reason: 'low_confidence', partial: result, metadata: { failure: 'low_confidence', confidence, confidence_threshold: threshold } }, options);
  }

  private async escalate(data: PipelineData, { reason, partial, metadata }: Failure<Result>, options: RunOptions): Promise<EscalatedToHuman<Result>> {
    const { timeout } = this.config;
    const { interaction_id } = await this.ask(
      { data, escalation_reason: reason, metadata, ...(partial === null ? {} : { partial_result: partial }) },
      // Reviewers see what there is of a result beside the data.
      { pattern: 'manual', ui_schema: forms.manual(reason), review_data: { content: partial, metadata }, ...(timeout === undefined ? {} : { timeout_seconds: timeout }) },
      options,
    );
    return this.escalated(interaction_id, data, { reason, partial });
  }

  private escalated(interaction_id: string, data: PipelineData, { reason, partial }: { reason: Reason | null; partial: Result | null }): EscalatedToHuman<Result> {
    return { status: 'escalated_to_human', interaction_id, escalation_reason: reason, partial_result: partial, original_data: data, ui_schema: forms.manual(reason) };
  }
}

function confidenceOf(result: object): number {
  const { confidence } = result as { confidence?: unknown };
  return typeof confidence === 'number' && Number.isFinite(confidence) ? confidence : 0;
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : typeof error);
