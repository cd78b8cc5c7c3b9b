import { UmpireError, type EscalationStatus, type Interaction } from '@umpire/contract';
import type { UmpireClient } from '../client.ts';
import type { CallOptions } from '../retry.ts';
import type { SettledOutcome } from '../types.ts';
import type { PipelineData } from './step.ts';

/** A paused pipeline, as the seed's `get_pipeline_state` tells it. Times are RFC 3339 with Z. */
export type PipelineState = {
  interaction_id: string;
  pipeline_name: string;
  step_name: string;
  data: PipelineData;
  created_at: string;
  expires_at: string | null;
  status: EscalationStatus;
};

/** Goes on with a pipeline behind the step that paused. May be called again for the same outcome, after a crash. */
export type ContinuePipeline<Result> = (pipelineName: string, stepName: string, merged: PipelineData, outcome: SettledOutcome<PipelineData>) => Result | Promise<Result>;

/** Not resumed: it is still pending (others have to answer as well), or it ended without an answer. */
export type Resumed<Result> =
  | { resumed: true; outcome: SettledOutcome<PipelineData>; result: Result }
  | { resumed: false; status: EscalationStatus; outcome: SettledOutcome<PipelineData> | null };

export type PipelineStateManagerSettings<Result> = {
  /** With the pipeline's own key. */
  client: UmpireClient;
  continuePipeline: ContinuePipeline<Result>;
  /** With the key of the person in whose name `resumePipeline` answers; where nobody answers through it, none is needed. */
  reviewer?: UmpireClient | undefined;
};

/**
 * The seed's PipelineStateManager over Umpire: states live in the store, are decided by its rules, and outlast every process. Answers
 * never come from a cache, and a state is resumed by its outcome, not by the first answer.
 */
export class PipelineStateManager<Result = unknown> {
  private readonly client: UmpireClient;
  private readonly reviewer: UmpireClient | undefined;
  private readonly continuePipeline: ContinuePipeline<Result>;

  constructor({ client, continuePipeline, reviewer }: PipelineStateManagerSettings<Result>) {
    this.client = client;
    this.reviewer = reviewer;
    this.continuePipeline = continuePipeline;
  }

  /** Durable when it returns; the same state again is no second one. @throws UmpireError `id_conflict` for other data under the id */
  async savePipelineState(
    interactionId: string, pipelineName: string, stepName: string, data: PipelineData, timeoutSeconds = 3_600, { interaction, ...call }: CallOptions & { interaction?: Interaction } = {},
  ): Promise<void> {
    await this.client.interact({
      interaction_id: interactionId, pipeline_name: pipelineName, step_name: stepName, data, interaction: { pattern: 'input', timeout_seconds: timeoutSeconds, ...interaction },
    }, call);
  }

  /** @returns what waits for an answer; null for what is not known, not a pipeline's, or over */
  async getPipelineState(interactionId: string, call?: CallOptions): Promise<PipelineState | null> {
    try {
      const item = await this.client.get<PipelineData>(interactionId, call);
      if (item.status !== 'pending' || item.pipeline_name === null || item.step_name === null) return null;
      const { interaction_id, pipeline_name, step_name, data, created_at, expires_at, status } = item;
      return { interaction_id, pipeline_name, step_name, data, created_at, expires_at, status };
    } catch (error) {
      if (error instanceof UmpireError && error.code === 'not_found') return null;
      throw error;
    }
  }

  /**
   * Gives a person's input, if there is one to give, and goes on with the pipeline once the outcome is there.
   * @throws UmpireError `not_found` (the seed's ValueError), and what `respond` refuses
   */
  async resumePipeline(interactionId: string, humanInput?: Record<string, unknown>, call: CallOptions = {}): Promise<Resumed<Result>> {
    if (humanInput !== undefined) {
      if (!this.reviewer) throw new UmpireError('unsupported', 'an input is a person\'s: give the manager a reviewer\'s client');
      await this.reviewer.respond(interactionId, humanInput, call);
    }
    const { status, outcome } = await this.client.status<PipelineData>(interactionId, call);
    return outcome ? this.resumeFrom(outcome) : { resumed: false, status, outcome: null };
  }

  /** Goes on from an outcome that came, as `outcomes` of the NATS client hands it over. Expiry and cancelling answer nothing. */
  async resumeFrom(outcome: SettledOutcome<PipelineData>): Promise<Resumed<Result>> {
    if (outcome.state !== 'completed') return { resumed: false, status: outcome.state, outcome };
    const result = await this.continuePipeline(outcome.pipeline_name ?? '', outcome.step_name ?? '', outcome.merged, outcome);
    return { resumed: true, outcome, result };
  }
}
