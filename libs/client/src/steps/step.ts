import { UmpireError, type Interaction } from '@umpire/contract';
import type { WaitOptions } from '../outcome-wait.ts';
import type { PipelineClient } from '../pipeline-client.ts';
import type { CallOptions } from '../retry.ts';
import type { InteractionRequest, SettledOutcome, StatusReply } from '../types.ts';
import { interactionIdOf } from './interaction-id.ts';

/** What a pipeline carries from step to step. */
export type PipelineData = Record<string, unknown>;

/** Settings that every step takes. Names are the seed's. */
export type StepConfig = {
  prompt?: string | undefined;
  /** Whatever else is to hold for this question: assignees, priority, reminders, levels, … It weighs more than the step's own. */
  interaction?: Interaction | undefined;
};

export type StepSettings<Config> = { client: PipelineClient; pipelineName: string; name: string; config?: Config | undefined };

export type RunOptions = CallOptions & {
  /**
   * Names this pause among those of its step, such as the id of the loan. A process that was restarted and runs the step again with the
   * same key attaches to the question that is there, answered or not, whatever its data are now. Without one, every run asks anew.
   */
  key?: string | undefined;
};

/** `before` is where the question stood if it had been asked already, else null. */
export type Asked = { interaction_id: string; before: StatusReply | null };

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
  protected async ask(question: Question, own: Interaction, { key, ...call }: RunOptions): Promise<Asked> {
    const { prompt, interaction } = this.config;
    const request = { ...question, pipeline_name: this.pipelineName, step_name: this.name, interaction: { ...(prompt === undefined ? {} : { prompt }), ...own, ...interaction } };
    if (key === undefined) return { interaction_id: (await this.client.interact(request, call)).request_id, before: null };
    const found = await this.find({ key, ...call });
    if (found.before) return found;
    const { interaction_id } = found;
    try {
      await this.client.interact({ ...request, interaction_id }, call);
      return { interaction_id, before: null };
    } catch (error) {
      if (!(error instanceof UmpireError) || error.code !== 'id_conflict') throw error;
      // Another process was faster, with other data under the same key.
      return { interaction_id, before: await this.client.findStatus(interaction_id, call) };
    }
  }

  /** The question of a key, if it has been asked. */
  protected async find({ key, ...call }: RunOptions & { key: string }): Promise<Asked> {
    const namespace = await this.client.namespace(call);
    const interaction_id = interactionIdOf({ namespace, pipeline: this.pipelineName, step: this.name, key });
    return { interaction_id, before: await this.client.findStatus(interaction_id, call) };
  }
}
