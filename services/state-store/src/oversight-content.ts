import { decisionsFromJson, mergedDecision, type DecisionSchema } from '@umpire/alignment';
import { decodeUtf8, member, readJson, toValue, type JsonNode } from '@umpire/contract';
import type { EscalationState } from '@umpire/domain';

/** What an agent, or all of them together, had decided, as a word that can be compared with a verdict. */
export type AgentWord = { kind: 'agent' | 'synthesis'; name: string; word: string };

const DECISION_FIELDS = ['rationale', 'evidence'];

export const wordOf = (value: unknown): string => String(value).trim().toLowerCase();

/** @param body the producer's bytes; null where they have been erased @returns null also for what cannot be read, which must not hold up the rest */
export function contentOf(body: Uint8Array | null): JsonNode | null {
  if (body === null) return null;
  try {
    return readJson(decodeUtf8(body));
  } catch {
    return null;
  }
}

/**
 * @param payload from `contentOf`
 * @returns how many words somebody has to read who reads all of it: of a HITLRequest the summary, rationales and evidence, of a pipeline's
 * interaction its data; with either the prompt and what is to be reviewed. Null without the content
 */
export function readingWords(state: EscalationState, payload: JsonNode | null): number | null {
  if (payload === null) return null;
  const { prompt, review_data } = state.rules;
  return wordsIn(state.kind === 'escalation' ? requestTexts(payload) : toValue(member(payload, 'data') ?? NOTHING)) + wordsIn([prompt, review_data?.['content']]);
}

function requestTexts(payload: JsonNode): unknown[] {
  const decisions = member(payload, 'agent_decisions');
  const parts = decisions?.kind === 'array' ? decisions.items.flatMap((decision) => DECISION_FIELDS.map((field) => member(decision, field))) : [];
  return [member(payload, 'summary'), ...parts].map((node) => toValue(node ?? NOTHING));
}

const NOTHING: JsonNode = readJson('null');

/** Words in all texts of a value, however deep: runs without white space that hold a letter or a digit. */
export function wordsIn(value: unknown): number {
  let words = 0;
  const left = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next === 'string') words += wordsOf(next);
    else if (typeof next === 'object' && next !== null) left.push(...Object.values(next));
  }
  return words;
}

/** Counted without cutting the text into its words, which would be most of what reading a request costs. */
function wordsOf(text: string): number {
  let words = 0;
  let counted = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) return text.split(/\s+/u).filter((run) => /[\p{L}\p{N}]/u.test(run)).length;
    if (code === 0x20 || (code >= 0x09 && code <= 0x0d)) counted = false;
    else if (!counted && isLetterOrDigit(code)) {
      words += 1;
      counted = true;
    }
  }
  return words;
}

const isLetterOrDigit = (ascii: number) => (ascii >= 0x61 && ascii <= 0x7a) || (ascii >= 0x41 && ascii <= 0x5a) || (ascii >= 0x30 && ascii <= 0x39);

/** @param payload from `contentOf` @returns each agent's word and the word of their synthesis; none from what cannot be read */
export function agentWords(payload: JsonNode | null): AgentWord[] {
  if (payload === null) return [];
  try {
    const decisions = decisionsFromJson(member(payload, 'agent_decisions'));
    const words = decisions.map(({ agent_name, decision_value }): AgentWord => ({ kind: 'agent', name: agent_name, word: wordOf(toValue(decision_value as JsonNode)) }));
    return [...words, ...synthesisOf(decisions)];
  } catch {
    return [];
  }
}

/** As the engine merges them: weighed by confidence. */
function synthesisOf(decisions: ReturnType<typeof decisionsFromJson>): AgentWord[] {
  const isBoolean = decisions.every(({ decision_value }) => (decision_value as JsonNode).kind === 'boolean');
  const schema: DecisionSchema = isBoolean ? { type: 'boolean' } : { type: 'categorical', categories: [] };
  try {
    return [{ kind: 'synthesis', name: '', word: wordOf(mergedDecision(decisions, schema)) }];
  } catch {
    return [];
  }
}
