import { member, readJson, toValue, type JsonNode } from '@umpire/contract';
import type { IncomingEvent } from '../webhooks/webhook-body.ts';

/** Why people are written to. */
export type What = 'asked' | 'reminded' | 'added' | 'round' | 'test';

export type People = { users: string[]; roles: string[]; groups: string[] };
const NOBODY: People = { users: [], roles: [], groups: [] };

/** Events that people are written to about. Nobody is written to about what is over. */
const WHAT: Record<string, What> = { opened: 'asked', raised: 'added', reassigned: 'added', delegated: 'added', reminded: 'reminded', iterated: 'round' };
export const whatOf = (type: string): What | null => WHAT[type] ?? null;

/**
 * Whom an event asks.
 * @param data the event's own data
 * @param rules what the escalation is decided by; its groups are names still
 * @param audience who sees it now
 */
export function asked(event: Pick<IncomingEvent, 'type'>, data: JsonNode | undefined, rules: JsonNode | undefined, audience: { users: readonly string[]; roles: readonly string[] }): People {
  switch (event.type) {
    case 'opened':
    case 'iterated':
      return { users: [...audience.users], roles: [...audience.roles], groups: texts(member(member(rules, 'assignees'), 'groups')) };
    case 'raised':
      return { ...peopleOf(member(data, 'added')), groups: groupsOfLevel(rules, member(data, 'level')) };
    case 'reassigned':
      return peopleOf(member(data, 'to'));
    case 'delegated':
      return { ...NOBODY, users: texts(member(data, 'to')) };
    case 'reminded':
      return reminded(data);
    default:
      return NOBODY;
  }
}

/** A reminder is for those who have not answered and have not put it off; the end of a snooze for who had. */
function reminded(data: JsonNode | undefined): People {
  const one = texts(member(data, 'user_id'));
  if (one.length > 0) return { ...NOBODY, users: one };
  const snoozed = new Set(texts(member(data, 'snoozed')));
  const waiting = peopleOf(member(data, 'waiting_for'));
  return { ...waiting, users: waiting.users.filter((user) => !snoozed.has(user)) };
}

function groupsOfLevel(rules: JsonNode | undefined, level: JsonNode | undefined): string[] {
  const levels = member(rules, 'levels');
  const reached = levels?.kind === 'array' && level?.kind === 'number' ? levels.items[Number(level.text) - 1] : undefined;
  return texts(member(member(reached, 'assignees'), 'groups'));
}

const peopleOf = (node: JsonNode | undefined): People => ({ users: texts(member(node, 'users')), roles: texts(member(node, 'roles')), groups: [] });

/** The strings of a list, or a single one. */
function texts(node: JsonNode | undefined): string[] {
  if (node?.kind === 'string') return [node.value];
  return node?.kind === 'array' ? node.items.flatMap((item) => (item.kind === 'string' ? [item.value] : [])) : [];
}

/** What a message tells of an item, read from its JSON text. */
export type Asked = {
  status: string;
  pattern: string;
  reason: string;
  priority: string;
  prompt: string | null;
  summary: string | null;
  expiresAt: string | null;
  overdue: boolean;
  /** Who has answered the question as it stands. */
  answered: string[];
};

export function readAsked(item: string): Asked {
  const root = readJson(item, { maxDepth: 512 });
  const text = (name: string): string | null => {
    const node = member(root, name);
    return node?.kind === 'string' ? node.value : null;
  };
  const votes = member(root, 'votes');
  const revision = member(root, 'revision');
  return {
    status: text('status') ?? '',
    pattern: text('pattern') ?? '',
    reason: text('reason') ?? '',
    priority: text('priority') ?? 'normal',
    prompt: text('prompt'),
    summary: text('summary'),
    expiresAt: text('expires_at'),
    overdue: member(root, 'overdue')?.kind === 'boolean' && toValue(member(root, 'overdue')!) === true,
    answered: votes?.kind === 'array' ? votes.items.filter((vote) => isCurrent(vote, revision)).flatMap((vote) => texts(member(vote, 'user_id'))) : [],
  };
}

/** A vote on an older revision asks to be given again. */
function isCurrent(vote: JsonNode, revision: JsonNode | undefined): boolean {
  const seen = member(vote, 'revision');
  return seen?.kind !== 'number' || revision?.kind !== 'number' || Number(seen.text) >= Number(revision.text);
}
