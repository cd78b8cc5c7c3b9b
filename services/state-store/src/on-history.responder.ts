import { encodeFrame, idToken, LIMITS, parseIdToken, UmpireError, type HistoryHeader, type HistoryItem } from '@umpire/contract';
import { databaseNow, withDeadline, type Bus, type Sql } from '@umpire/runtime';
import { z } from 'zod';
import { findHistory, type HistoryPlace, type RecordedRow } from './history.queries.ts';
import { requestOf } from './on-submit.responder.ts';
import { findGroupMembers } from './submit.queries.ts';

const READ_MS = 8_000;
const moment = z.iso.datetime();
const querySchema = z.object({
  namespace: z.string().max(40), since: moment, until: moment.nullable(), after: z.string().max(4_096).nullable(), limit: z.int().min(1).max(200), groups: z.array(z.string().max(256)).max(1_000),
});
const cursorSchema = z.tuple([moment, z.string()]);

/** `umpire.store.query.history`: what was recorded, for trying a policy on it. */
export function onHistory(bus: Bus, sql: Sql): () => Promise<void> {
  return bus.respond(requestOf('umpire.store.query.history'), (data) => history(sql, querySchema.parse(JSON.parse(new TextDecoder().decode(data)))));
}

async function history(sql: Sql, query: z.infer<typeof querySchema>): Promise<Uint8Array> {
  const after = query.after === null ? null : placeOf(query.after);
  const groups = query.groups.map((name) => ({ namespace: query.namespace, name }));
  const [{ rows, more: behind }, members, now] = await withDeadline(Promise.all([findHistory(sql, { ...query, after, bytes: LIMITS.batch }), groups.length === 0 ? [] : findGroupMembers(sql, groups), databaseNow(sql)]), READ_MS, 'history');
  const items: HistoryItem[] = [];
  const bodies: Uint8Array[] = [];
  let bytes = 0;
  for (const row of rows) {
    const item = itemOf(row);
    bytes += Buffer.byteLength(JSON.stringify(item)) + (row.body?.length ?? 0);
    if (items.length > 0 && bytes > LIMITS.batch) break;
    items.push(item);
    bodies.push(row.body ?? new Uint8Array());
  }
  const last = rows[items.length - 1];
  const more = last !== undefined && (items.length < rows.length || behind);
  const header: HistoryHeader = {
    items,
    groups: Object.fromEntries(query.groups.map((name) => [name, members.filter((row) => row.group_name === name).map((row) => row.user_id)])),
    next: more ? JSON.stringify([last.opened_at.toISOString(), idToken(last.request_id)]) : null,
    now: new Date(now).toISOString(),
  };
  return encodeFrame(header, bodies);
}

function placeOf(cursor: string): HistoryPlace {
  const [opened_at, token] = cursorSchema.parse(JSON.parse(cursor));
  const request_id = parseIdToken(token);
  if (request_id === null) throw new UmpireError('bad_request', 'after is not a cursor of this query');
  return { opened_at, request_id };
}

function itemOf({ request_id, opened_at, state, body }: RecordedRow): HistoryItem {
  const { reason, kind, status, policy, rules, electorate, excluded, level, outcome } = state;
  const rounds = state.history.map(({ user_id, at, response }) => ({ user_id, roles: electorate.roles, at, response }));
  const votes = state.votes.map(({ user_id, via, at, response }) => ({ user_id, roles: via === null ? [] : [via], at, response }));
  return {
    request_id, reason, kind, status, policy, rules, electorate, excluded, level,
    opened_at: opened_at.toISOString(),
    answers: [...rounds, ...votes].sort((a, b) => a.at - b.at).map((answer) => ({ ...answer, at: new Date(answer.at).toISOString() })),
    outcome: outcome && { state: outcome.state, verdict: outcome.verdict, source: outcome.source, decided_at: outcome.decided_at },
    erased: body === null,
  };
}
