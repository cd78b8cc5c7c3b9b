import type { UiSchema } from '@umpire/contract';
import { forms } from './forms.ts';
import { Step, type PipelineData, type RunOptions, type StepConfig, type StepSettings } from './step.ts';

export type ReviewConfig = StepConfig & {
  /** Seconds; the server's default is an hour. */
  timeout?: number | undefined;
};

/** Proposes what a reviewer might look at or change; shown beside the content. */
export type Suggest = (content: unknown, data: PipelineData) => unknown;

export type AwaitingReview = {
  status: 'awaiting_review';
  interaction_id: string;
  review_data: { content: unknown; metadata: unknown; suggestions: unknown };
  ui_schema: UiSchema;
};

/** Interactive review of `data.generated_content`: approve, reject, or request changes. */
export class ReviewAndApproveStep extends Step<ReviewConfig, AwaitingReview> {
  private readonly suggest: Suggest;

  constructor({ suggest = () => [], ...settings }: StepSettings<ReviewConfig> & { suggest?: Suggest }) {
    super(settings);
    this.suggest = suggest;
  }

  async run(data: PipelineData, options: RunOptions = {}): Promise<AwaitingReview> {
    const content = data['generated_content'] ?? '';
    const review_data = { content, metadata: data['metadata'] ?? {}, suggestions: await this.suggest(content, data) };
    const ui_schema = forms.review();
    const { timeout } = this.config;
    const { interaction_id } = await this.ask({ data }, { pattern: 'review', review_data, ui_schema, ...(timeout === undefined ? {} : { timeout_seconds: timeout }) }, options);
    return { status: 'awaiting_review', interaction_id, review_data, ui_schema };
  }
}
