import { UmpireError, type Interaction, type UiField } from '@umpire/contract';
import type { InteractionRequest, SettledOutcome } from '../types.ts';

/**
 * LangGraph's human interrupt (`langgraph.prebuilt.interrupt`, `@langchain/langgraph/prebuilt`; also Agent Inbox), by its published
 * shapes, and the response that resumes the graph. Not supported: any other value that a graph interrupts with, the action lists of
 * LangChain's human-in-the-loop middleware, and emptying a text by an edit (an empty field is an unchanged one).
 */
export type HumanInterruptConfig = { allow_ignore: boolean; allow_respond: boolean; allow_edit: boolean; allow_accept: boolean };
export type ActionRequest = { action: string; args: Record<string, unknown> };
export type HumanInterrupt = { action_request: ActionRequest; config: HumanInterruptConfig; description?: string | null | undefined };
export type HumanResponse = { type: 'accept' | 'ignore' | 'response' | 'edit'; args: null | string | ActionRequest };

/** Where a mapped question comes from, and what else is to hold for it. */
export type MappedPlace = { pipelineName: string; stepName: string; interaction?: Interaction | undefined };

const ARGUMENT = 'args.';
/** Forms have a hundred fields at most. */
const MOST_ARGUMENTS = 90;

/**
 * An interrupt as a question: what is allowed are the options, each argument is a field for an edit.
 * @throws UmpireError `unsupported` for an interrupt that allows nothing, or that has more arguments than a form has fields
 */
export function fromHumanInterrupt({ action_request, config, description }: HumanInterrupt, { pipelineName, stepName, interaction }: MappedPlace): Omit<InteractionRequest, 'interaction_id'> {
  const options = [
    ...(config.allow_accept ? ['accept'] : []), ...(config.allow_edit ? ['edit'] : []), ...(config.allow_respond ? ['response'] : []), ...(config.allow_ignore ? ['ignore'] : []),
  ];
  if (options.length === 0) throw new UmpireError('unsupported', 'the interrupt allows no response at all');
  const fields: UiField[] = [
    { name: 'decision', type: 'radio', options, required: true },
    ...(config.allow_edit ? argumentFields(action_request.args) : []),
    ...(config.allow_respond ? [{ name: 'response', type: 'textarea', label: 'Response' }] : []),
  ];
  return {
    pipeline_name: pipelineName,
    step_name: stepName,
    data: { action_request, config, description: description ?? null },
    interaction: {
      pattern: 'review', prompt: description ?? `Approve ${action_request.action}?`, options, approving: options.filter((option) => option === 'accept' || option === 'edit'),
      ui_schema: { type: 'human_interrupt', fields }, ...interaction,
    },
  };
}

/**
 * What the graph resumes with: `new Command({ resume: [response] })`.
 * @returns null where nobody decided (expired or cancelled): that is no response, and above all no consent
 */
export function toHumanResponse({ action_request }: Pick<HumanInterrupt, 'action_request'>, outcome: Pick<SettledOutcome, 'state' | 'verdict' | 'response'>): HumanResponse | null {
  if (outcome.state !== 'completed') return null;
  const response = (outcome.response ?? {}) as Record<string, unknown>;
  switch (outcome.verdict) {
    case 'accept':
    case 'ignore':
      return { type: outcome.verdict, args: null };
    case 'response':
      return { type: 'response', args: typeof response['response'] === 'string' ? response['response'] : '' };
    case 'edit':
      return { type: 'edit', args: { action: action_request.action, args: editedArguments(action_request.args, response) } };
    default:
      throw new UmpireError('unsupported', `${JSON.stringify(outcome.verdict)} is no response to a human interrupt`);
  }
}

/** Texts are edited as they are, everything else as JSON. */
function argumentFields(args: Record<string, unknown>): UiField[] {
  const entries = Object.entries(args);
  if (entries.length > MOST_ARGUMENTS) throw new UmpireError('unsupported', `an action with ${entries.length} arguments cannot be edited in a form`);
  return entries.map(([name, value]) => ({ name: ARGUMENT + name, type: 'textarea', label: name, default: typeof value === 'string' ? value : JSON.stringify(value, null, 2) }));
}

function editedArguments(args: Record<string, unknown>, response: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(args).map(([name, value]) => {
    const given = response[ARGUMENT + name];
    return [name, typeof given !== 'string' ? value : typeof value === 'string' ? given : parsedOr(given)];
  }));
}

/** A person may write what is no JSON; the tool's own schema will say what it thinks of the text. */
function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
