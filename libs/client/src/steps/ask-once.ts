import { UmpireError } from '@umpire/contract';
import type { PipelineClient } from '../pipeline-client.ts';
import type { CallOptions } from '../retry.ts';
import type { InteractionRequest, StatusReply } from '../types.ts';
import { interactionIdOf } from './interaction-id.ts';

export type AskOptions = CallOptions & {
  /**
   * Names this pause among those of its step, such as the id of the loan. A process that was restarted and asks again with the same
   * key attaches to the question that is there, answered or not, whatever its data are now. Without one, every call asks anew.
   */
  key?: string | undefined;
};

/** `before` is where the question stood if it had been asked already, else null. */
export type Asked = { interaction_id: string; before: StatusReply | null };

/** Asks a pipeline's question, once for each key. Durable when it returns. */
export async function askOnce(client: PipelineClient, request: Omit<InteractionRequest, 'interaction_id'>, { key, ...call }: AskOptions = {}): Promise<Asked> {
  if (key === undefined) return { interaction_id: (await client.interact(request, call)).request_id, before: null };
  const found = await findAsked(client, { pipeline: request.pipeline_name, step: request.step_name }, { key, ...call });
  if (found.before) return found;
  const { interaction_id } = found;
  try {
    await client.interact({ ...request, interaction_id }, call);
    return found;
  } catch (error) {
    if (!(error instanceof UmpireError) || error.code !== 'id_conflict') throw error;
    // Another process was faster, with other data under the same key.
    return { interaction_id, before: await client.findStatus(interaction_id, call) };
  }
}

/** The question of a key, if it has been asked. */
export async function findAsked(client: PipelineClient, place: { pipeline: string; step: string }, { key, ...call }: AskOptions & { key: string }): Promise<Asked> {
  const interaction_id = interactionIdOf({ namespace: await client.namespace(call), ...place, key });
  return { interaction_id, before: await client.findStatus(interaction_id, call) };
}
