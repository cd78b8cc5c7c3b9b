import type { EscalationItem, Outcome, Reason } from '@umpire/client';
import { idToken } from '@umpire/contract';

export const REASON_WORDS: Record<Reason, string> = {
  hard_disagreement: 'Hard disagreement',
  low_confidence: 'Low confidence',
  inconsistent_evidence: 'Inconsistent evidence',
  custom_rule: 'Custom rule',
};

/** `timed_decision` → `Timed decision`. */
export const spoken = (name: string): string => {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
};

export const decisionPath = (requestId: string): string => `/e/~${idToken(requestId)}`;

/** What an item is about, in a line. */
export const titleOf = (item: EscalationItem): string =>
  item.prompt ?? item.summary ?? (item.pipeline_name === null ? (item.task_id ?? item.request_id) : `${item.pipeline_name}: ${item.step_name ?? ''}`);

/** Who settled it and how, as a sentence. */
export function outcomeSentence(outcome: Pick<Outcome, 'state' | 'source' | 'verdict' | 'decided_by'>): string {
  const verdict = outcome.verdict === null ? '' : spoken(outcome.verdict);
  if (outcome.source === 'cancel') return 'Cancelled by the pipeline';
  if (outcome.source === 'timeout') return outcome.verdict === null ? 'Expired: nobody decided in time' : `Deadline passed: the default “${verdict}” was applied`;
  return `${outcome.decided_by.join(', ')} decided “${verdict}”`;
}

const UNITS: [number, string][] = [[86_400_000, 'd'], [3_600_000, 'h'], [60_000, 'min'], [1_000, 's']];

/** `2 h 5 min`: the two largest units. */
export function duration(ms: number): string {
  const at = UNITS.findIndex(([size]) => ms >= size);
  if (at < 0) return '0 s';
  const [size, unit] = UNITS[at]!;
  const first = `${Math.floor(ms / size)} ${unit}`;
  const smaller = UNITS[at + 1];
  const rest = smaller === undefined ? 0 : Math.floor((ms % size) / smaller[0]);
  return rest > 0 ? `${first} ${rest} ${smaller![1]}` : first;
}

/** A moment for people, in their own zone and language. */
export const moment = (iso: string): string => new Date(iso).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
