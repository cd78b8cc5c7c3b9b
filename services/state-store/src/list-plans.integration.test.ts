import type { Principal } from '@umpire/contract';
import { createLogger, systemClock } from '@umpire/runtime';
import { testDatabase, type TestDatabase } from '@umpire/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RenderingCache } from './cache.ts';
import { findTaskEscalations } from './legacy-respond.queries.ts';
import { Lists, type ListRequest } from './list.service.ts';
import { PlannedSql } from './planned-sql.ts';
import { Reads } from './read.service.ts';
import { SettledHints } from './settled-hints.ts';
import { planner, type PlanFacts, type Planner } from './test/plans.ts';
import { fillStore } from './test/store-rows.ts';

const ROWS = 100_000;
let database: TestDatabase;
let plans: Planner;
let reads: Reads;
let lists: Lists;

beforeAll(async () => {
  database = await testDatabase();
  await fillStore(database.sql, 'default', ROWS);
  await fillStore(database.sql, 'team-a', 20_000);
  plans = planner(database.url);
  const cache = new RenderingCache({ url: undefined, prefix: '', seconds: 1, logger: createLogger('test', 'silent'), now: systemClock.now });
  reads = new Reads(plans.sql, cache, new SettledHints(systemClock.now));
  lists = new Lists(plans.sql, reads);
}, 180_000);
afterAll(async () => {
  await plans.end();
  await database.drop();
});

const admin: Principal = { namespace: 'default', key_id: 'k', roles: ['admin'], user_id: null, auth: 'api_key' };
const reviewer: Principal = { ...admin, roles: ['reviewer'], user_id: 'busy' };
const specialist: Principal = { ...admin, roles: ['senior'], user_id: 'rare' };
const delegate: Principal = { ...reviewer, user_id: 'helper', roles: ['trainee'], acts_for: [{ user_id: 'rare', roles: ['reviewer'] }] };
const callers = { admin, reviewer, specialist, delegate };

/** The big tables are read through an index, and not much more of them than is shown. */
function expectIndexed(found: PlanFacts[], most: number): void {
  expect(found.length).toBeGreaterThan(0);
  for (const { text, seqScans, rowsRead } of found) {
    expect({ text, seqScans }).toEqual({ text, seqScans: [] });
    expect({ text, few: rowsRead <= most || rowsRead }).toEqual({ text, few: true });
  }
}

const age = { by: 'age', descending: false } as const;
const newest = { by: 'age', descending: true } as const;
const deadline = { by: 'deadline', descending: false } as const;
const priority = { by: 'priority', descending: false } as const;
type Asked = Partial<ListRequest>;

/** What is asked for, and how many rows may be touched for a page of 50 (of 100,000, or 20,000 in the small namespace). */
const questions: [Asked, number][] = [
  [{ sort: age }, 6_000],
  [{ sort: newest }, 6_000],
  [{ sort: age, state: ['pending'] }, 6_000],
  [{ sort: newest, state: ['completed', 'expired'] }, 6_000],
  [{ sort: age, reason: ['custom_rule'] }, 6_000],
  [{ sort: age, pattern: ['approval'] }, 8_000],
  [{ sort: age, state: ['pending'], priority: ['critical'] }, 8_000],
  [{ sort: age, min_age: 1_000, max_age: 90_000 }, 6_000],
  [{ sort: age, policy: 'policy-5' }, 12_000],
  [{ sort: deadline }, 6_000],
  [{ sort: priority }, 6_000],
  [{ sort: priority, priority: ['low'] }, 6_000],
  [{ sort: age, assignee: 'rare' }, 6_000],
  [{ sort: age, assignee: 'busy' }, 20_000],
  [{ sort: deadline, assignee: 'busy' }, 20_000],
  [{ sort: age, assignee_role: 'senior' }, 10_000],
  [{ sort: age, task_id: 'task/5000' }, 200],
  [{ sort: newest, text: 'n4711' }, 1_000],
  [{ sort: newest, text: 'w77' }, 12_000],
  [{ sort: newest, text: 'common please' }, 12_000],
  [{ sort: deadline, text: 'common', reason: ['low_confidence'] }, 12_000],
];

describe('plans at 100,000 escalations', () => {
  for (const [name, caller] of Object.entries(callers)) {
    it.each(questions)(`${name} asks %j`, async (asked, most) => {
      const found = await plans.plansOf(() => lists.page(caller, { limit: 50, after: null, sort: age, ...asked }));
      expectIndexed(found, most);
    });
  }

  it('pages deep into a list', async () => {
    for (const [sort, request_id] of [[age, 'row-50000'], [deadline, 'row-1'], [priority, 'row-50002']] as const) {
      const [row] = await database.sql<{ opened_at: Date; deadline: Date; urgency: number }[]>`
        select opened_at, deadline, 3 - priority as urgency from store.escalations where namespace = 'default' and request_id = ${request_id}`;
      const after = { opened_at: row!.opened_at.toISOString(), deadline: row!.deadline.toISOString(), urgency: row!.urgency, request_id };
      expectIndexed(await plans.plansOf(() => lists.page(reviewer, { limit: 50, after, sort })), 8_000);
    }
  });

  it('looks one up, and a task\'s', async () => {
    const keys = Array.from({ length: 200 }, (_, index) => ({ namespace: 'default', request_id: `row-${index * 400}` }));
    expectIndexed(await plans.plansOf(() => reads.documents(keys)), 1_000);
    expectIndexed(await plans.plansOf(() => reads.item(keys[7]!)), 10);
    expectIndexed(await plans.plansOf(() => reads.state(keys[7]!)), 10);
    expectIndexed(await plans.plansOf(() => findTaskEscalations(plans.sql, 'default', 'task/70')), 20);
  });

  it('are made once where the planner knows the tables, unless nothing is planned once at all', async () => {
    expect(await new PlannedSql(database.sql, plans.sql).choose()).toBe(plans.sql);
    expect(await new PlannedSql(database.sql, null).choose()).toBe(database.sql);
    const empty = await testDatabase();
    try {
      expect(await new PlannedSql(empty.sql, plans.sql).choose()).toBe(empty.sql);
    } finally {
      await empty.drop();
    }
  });

  it('reads an inbox and its total', async () => {
    expectIndexed(await plans.plansOf(async () => reads.inbox('default', 'busy', await reads.placesOf('default', { user_id: 'busy', roles: ['reviewer', 'senior'] }), null, 200)), 4_000);
    expectIndexed(await plans.plansOf(async () => reads.inboxTotal('default', 'rare', await reads.placesOf('default', { user_id: 'rare', roles: ['trainee'] }))), 4_000);
  });
});
