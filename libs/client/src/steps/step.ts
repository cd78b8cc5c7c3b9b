import type { Interaction } from '@umpire/contract';
import type { WaitOptions } from '../outcome-wait.ts';
import type { PipelineClient } from '../pipeline-client.ts';
import type { InteractionRequest, SettledOutcome } from '../types.ts';
import { askOnce, findAsked, type Asked, type AskOptions } from './ask-once.ts';

/** What a pipeline carries from step to step. */
export type PipelineData = Record<string, unknown>;

/** Settings that every step takes. Names are the seed's. */
export type StepConfig = {
  prompt?: string | undefined;
  /** Whatever else is to hold for this question: assignees, priority, reminders, levels, … It weighs more than the step's own. */
  interaction?: Interaction | undefined;
};

export type StepSettings<Config> = { client: PipelineClient; pipelineName: string; name: string; config?: Config | undefined };

export type RunOptions = AskOptions;

type Question = Omit<InteractionRequest, 'interaction_id' | 'pipeline_name' | 'step_name'>;

/**
 * A step at which a pipeline may stop for people. `run` asks, and returns the seed's envelope as soon as the question is durable; the
 * process may then end, or wait with `outcome`.
 */
export abstract class Step<Config extends StepConfig, Envelope> {
  readonly pipelineName: string;
  readonly name: string;
  readonly config: Config;
  protected readonly client: PipelineClient;

  constructor({ client, pipelineName, name, config }: StepSettings<Config>) {
    this.client = client;
    this.pipelineName = pipelineName;
    this.name = name;
    this.config = config ?? ({} as Config);
  }

  /** @throws UmpireError `invalid` for a question that cannot be decided, `unavailable`, `timeout`; the signal's reason */
  abstract run(data: PipelineData, options?: RunOptions): Promise<Envelope>;

  /** Waits until the question of an envelope is decided. */
  outcome<Data = PipelineData>(envelope: { interaction_id: string }, options?: WaitOptions): Promise<SettledOutcome<Data>> {
    // It is durable: however long its way to the store takes, it will be known.
    return this.client.waitForOutcome<Data>(envelope.interaction_id, { unknownMs: Number.POSITIVE_INFINITY, ...options });
  }

  /** Asks once for each key. */
  protected ask(question: Question, own: Interaction, options: RunOptions): Promise<Asked> {
    const { prompt, interaction } = this.config;
    const rules = { ...(prompt === undefined ? {} : { prompt }), ...own, ...interaction };
    return askOnce(this.client, { ...question, pipeline_name: this.pipelineName, step_name: this.name, interaction: rules }, options);
  }

  /** The question of a key, if it has been asked. */
  protected find(options: RunOptions & { key: string }): Promise<Asked> {
    return findAsked(this.client, { pipeline: this.pipelineName, step: this.name }, options);
  }
}
