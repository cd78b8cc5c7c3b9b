import type { EscalationItem } from '@umpire/client';
import { REASON_WORDS, titleOf } from '../words.ts';

export const SORTS = ['deadline', 'priority', 'age'] as const;
export type Sort = (typeof SORTS)[number];
export type Filters = { sort: Sort; reason: string; pattern: string; via: string; text: string };
export const NO_FILTERS: Filters = { sort: 'deadline', reason: '', pattern: '', via: '', text: '' };

const WEIGHT: Readonly<Record<string, number>> = { critical: 0, high: 1, normal: 2, low: 3 };
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byAge = (a: EscalationItem, b: EscalationItem): number => byText(a.created_at, b.created_at) || byText(a.request_id, b.request_id);
// Items without a deadline come after all that have one.
const byDeadline = (a: EscalationItem, b: EscalationItem): number => byText(a.expires_at ?? '~', b.expires_at ?? '~') || byAge(a, b);
const byPriority = (a: EscalationItem, b: EscalationItem): number => WEIGHT[a.priority]! - WEIGHT[b.priority]! || byDeadline(a, b);
const ORDERS: Record<Sort, (a: EscalationItem, b: EscalationItem) => number> = { deadline: byDeadline, priority: byPriority, age: byAge };

/** How an item came to a person: through a group, by name, or through a role. */
export function viaOf({ electorate, groups = [] }: EscalationItem, userId: string): string[] {
  if (!electorate.users.includes(userId)) return electorate.roles.map((role) => `role ${role}`);
  return groups.length === 0 ? ['me by name'] : groups.map((group) => `group ${group}`);
}

export function arrange(items: readonly EscalationItem[], filters: Filters, userId: string): EscalationItem[] {
  const words = filters.text.trim().toLowerCase().split(/\s+/).filter((word) => word !== '');
  const fits = (item: EscalationItem) =>
    (filters.reason === '' || item.reason === filters.reason) &&
    (filters.pattern === '' || item.pattern === filters.pattern) &&
    (filters.via === '' || viaOf(item, userId).includes(filters.via)) &&
    words.every((word) => haystack(item).includes(word));
  return items.filter(fits).sort(ORDERS[filters.sort]);
}

const haystack = (item: EscalationItem): string => `${titleOf(item)} ${item.summary ?? ''} ${item.task_id ?? ''} ${item.request_id} ${item.pipeline_name ?? ''} ${item.step_name ?? ''} ${REASON_WORDS[item.reason]}`.toLowerCase();
