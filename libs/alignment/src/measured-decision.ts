import { splitWords, trimText, type AgentDecision } from '@umpire/contract';
import { AlignmentError } from './errors.ts';
import { asNode, pythonText } from './python-text.ts';

/** A decision with everything that the rules compare, worked out once. */
export interface MeasuredDecision {
  readonly decision: AgentDecision;
  readonly name: string;
  readonly confidence: number;
  readonly evidence: readonly string[];
  /** Python's `str()` of the value. */
  readonly text: string;
  /** The distinct lower-cased words of the rationale that are longer than three characters. */
  readonly words: ReadonlySet<string>;
}

/**
 * @throws AlignmentError `too_few_decisions` below two, `invalid_decision` for one that the rules cannot be applied to.
 */
export function measure(decisions: readonly AgentDecision[]): MeasuredDecision[] {
  if (decisions.length < 2) {
    throw new AlignmentError('too_few_decisions', 'alignment needs at least two decisions');
  }
  return decisions.map(measureOne);
}

function measureOne(decision: AgentDecision, index: number): MeasuredDecision {
  const { agent_name: name, confidence, rationale, decision_value: value } = decision;
  const evidence = decision.evidence ?? [];
  const sound =
    typeof name === 'string' &&
    typeof rationale === 'string' &&
    typeof confidence === 'number' &&
    confidence >= 0 &&
    confidence <= 1 &&
    value !== undefined &&
    Array.isArray(evidence) &&
    evidence.every((item) => typeof item === 'string');
  if (!sound) {
    throw new AlignmentError('invalid_decision', `decision ${index} lacks a name, a value, a rationale, evidence, or a confidence from 0 to 1`);
  }
  return { decision, name, confidence, evidence, text: pythonText(value), words: longWords(rationale) };
}

/** Characters are code points here, as they are in Python. */
function longWords(rationale: string): ReadonlySet<string> {
  return new Set(splitWords(rationale.toLowerCase()).filter((word) => [...word].length > 3));
}

/** Free-form texts agree when they are equal after lower-casing and trimming. */
export function foldedText(text: string): string {
  return trimText(text.toLowerCase());
}

/**
 * The decision as a number; booleans count as 1 and 0, as they do in Python.
 *
 * @throws AlignmentError `not_a_number` for anything else.
 */
export function scalarValue({ decision, name }: MeasuredDecision): number {
  const node = asNode(decision.decision_value);
  if (node.kind === 'boolean') {
    return node.value ? 1 : 0;
  }
  const value = node.kind === 'number' ? Number(node.text) : Number.NaN;
  if (!Number.isFinite(value)) {
    throw new AlignmentError('not_a_number', `the scalar decision of ${JSON.stringify(name)} is no finite number`);
  }
  return value;
}

/** The decision as Python's truth value: empty, zero and null are false. */
export function truthValue({ decision }: MeasuredDecision): boolean {
  const node = asNode(decision.decision_value);
  switch (node.kind) {
    case 'null':
      return false;
    case 'boolean':
      return node.value;
    case 'number':
      return Number(node.text) !== 0;
    case 'string':
      return node.value !== '';
    case 'array':
      return node.items.length > 0;
    case 'object':
      return node.members.length > 0;
  }
}

/** The most confident decision; of equals, the first. */
export function mostConfident(decisions: readonly MeasuredDecision[]): MeasuredDecision {
  return decisions.reduce((best, decision) => (decision.confidence > best.confidence ? decision : best));
}

/** Texts with the sum of their confidences, in the order first seen; sums run in the order given, as upstream's do. */
export function weightsByText(decisions: readonly MeasuredDecision[]): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const { text, confidence } of decisions) {
    weights.set(text, (weights.get(text) ?? 0) + confidence);
  }
  return weights;
}

/** The key with the largest number; of equals, the first. */
export function heaviest(weights: ReadonlyMap<string, number>): string {
  let best: readonly [string, number] | undefined;
  for (const entry of weights) {
    if (best === undefined || entry[1] > best[1]) {
      best = entry;
    }
  }
  return best?.[0] ?? '';
}

