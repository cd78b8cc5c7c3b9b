import { sha256, toHex, UmpireError } from '@umpire/contract';
import type { InteractionRequest, SettledOutcome } from '../types.ts';
import type { MappedPlace } from './langgraph.ts';

/**
 * An interruption of the OpenAI Agents SDK for JavaScript (`result.interruptions`, a `RunToolApprovalItem`), by its published shape:
 * function, hosted, shell, patch and computer calls alike. Not supported: sticky decisions (`alwaysApprove`, `alwaysReject`), which would
 * cover calls that nobody has seen, and changing the arguments, which the SDK does not offer.
 */
export type ToolApprovalItem = {
  rawItem: { type: string; name?: string | undefined; callId?: string | undefined; id?: string | undefined; arguments?: string | undefined };
  agent: { name: string };
  toolName?: string | undefined;
};

/** The part of the SDK's `RunState` that a decision goes to. */
export type ApprovableState<Item> = { approve(item: Item): void; reject(item: Item, options?: { message?: string }): void };

export type AppliedApproval = 'approved' | 'rejected' | 'undecided';

/**
 * A tool call as a question. With `approvalKey` as its key, a run that was saved and loaded again asks once.
 * @returns with an `action_digest`: whoever runs the tool can `consume` the approval, for exactly this call and once
 */
export function fromToolApproval(item: ToolApprovalItem, { pipelineName, stepName, interaction }: MappedPlace): Omit<InteractionRequest, 'interaction_id'> {
  const tool = toolOf(item);
  return {
    pipeline_name: pipelineName,
    step_name: stepName,
    data: { agent: item.agent.name, tool, call_id: callIdOf(item) ?? null, arguments: argumentsOf(item) },
    interaction: {
      pattern: 'approval', quorum: 'any', prompt: `May ${item.agent.name} call ${tool}?`, action_digest: toolCallDigest(item),
      ui_schema: {
        type: 'tool_approval',
        fields: [
          { name: 'decision', type: 'radio', options: ['approve', 'reject'], required: true },
          { name: 'message', type: 'textarea', label: 'What the agent is told when it is rejected' },
        ],
      },
      ...interaction,
    },
  };
}

/** Names the pause that a tool call is: the SDK keeps its call id when a run is saved. @throws UmpireError `unsupported` without one */
export function approvalKey(item: ToolApprovalItem): string {
  const id = callIdOf(item);
  if (id === undefined) throw new UmpireError('unsupported', 'the tool call has no id of its own to be known by');
  return id;
}

/** What exactly is approved: SHA-256 over tool and arguments as the model wrote them. */
export function toolCallDigest(item: ToolApprovalItem): string {
  return `sha256:${toHex(sha256(JSON.stringify([toolOf(item), item.rawItem.arguments ?? JSON.stringify(item.rawItem)])))}`;
}

/**
 * Puts an outcome into the run's state. Where nobody decided (expired or cancelled) the state is left as it is: the run stays
 * interrupted, and what becomes of it is the caller's to say.
 */
export function applyToolApproval<Item extends ToolApprovalItem>(state: ApprovableState<Item>, item: Item, outcome: Pick<SettledOutcome, 'state' | 'verdict' | 'response'>): AppliedApproval {
  if (outcome.state !== 'completed') return 'undecided';
  if (outcome.verdict === 'approve') {
    state.approve(item);
    return 'approved';
  }
  const { message } = (outcome.response ?? {}) as { message?: unknown };
  state.reject(item, typeof message === 'string' ? { message } : {});
  return 'rejected';
}

const toolOf = ({ toolName, rawItem }: ToolApprovalItem): string => toolName ?? rawItem.name ?? rawItem.type;
const callIdOf = ({ rawItem }: ToolApprovalItem): string | undefined => rawItem.callId ?? rawItem.id;

function argumentsOf({ rawItem }: ToolApprovalItem): unknown {
  if (rawItem.arguments === undefined) return rawItem;
  try {
    return JSON.parse(rawItem.arguments);
  } catch {
    // Models write what is no JSON at times; people should see what it was.
    return rawItem.arguments;
  }
}
