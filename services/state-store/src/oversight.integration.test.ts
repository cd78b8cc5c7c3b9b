import { encodeUtf8 } from '@umpire/contract';
import { createLogger } from '@umpire/runtime';
import { eventually, VirtualClock } from '@umpire/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KeptFigures } from './kept-figures.ts';
import { agentWords, contentOf, readingWords, wordsIn } from './oversight-content.ts';
import { OversightLoop } from './oversight.loop.ts';
import { OVERSIGHT_KEEPING, OversightReads, type Oversight } from './oversight.service.ts';
import { client, type Client } from './test/http.ts';
import { startHarness, submission, type Harness } from './test/store-harness.ts';

let harness: Harness;
let clock: VirtualClock;
let store: Client;
let keys: { admin: string; alice: string; bob: string; stranger: string };
let start: number;

beforeAll(async () => {
  harness = await startHarness();
  clock = await VirtualClock.make(harness.database);
  store = client((await harness.startStore({ UMPIRE_POSTGRES_URL: clock.url })).origin);
  const [admin, alice, bob, stranger] = await Promise.all([harness.key(['admin']), harness.key(['reviewer'], 'alice'), harness.key(['reviewer'], 'bob'), harness.key(['admin'], undefined, 'team-a')]);
  keys = { admin, alice, bob, stranger };
  start = await clock.now();
});
afterAll(() => harness.stop());

const at = (seconds: number) => clock.set(start + seconds * 1_000);
const text = (words: number) => Array.from({ length: words }, () => 'word').join(' ');
const read = async (query = '', key = keys.admin) => (await store.get(`/hitl/stats/oversight${query}`, key)).body as Oversight;
const respond = (id: string, decision: string, key: string) => store.post('/hitl/respond', { interaction_id: id, user_input: { decision } }, key);

/** A question whose content has exactly so many words. */
function question(id: string, words: number, more: { decisions?: object[]; revises?: string; reason?: 'low_confidence'; timeout_seconds?: number } = {}) {
  const { decisions = [], revises, reason, timeout_seconds = 7_200 } = more;
  const said = decisions.length === 0 ? 0 : decisions.length * 2;
  const payload = JSON.stringify({ request_id: id, summary: text(words - said), agent_decisions: decisions.map((one) => ({ ...one, rationale: 'because', evidence: ['paper'] })) });
  const made = submission(id, { payload, interaction: { timeout_seconds, ...(revises === undefined ? {} : { revises }) } });
  return reason === undefined ? made : { ...made, item: { ...made.item, reason } };
}

const DECISIONS = [{ agent_name: 'risk', decision_value: 'reject', confidence: 0.9 }, { agent_name: 'sales', decision_value: 'approve', confidence: 0.8 }, { agent_name: 'ops', decision_value: 'Approve', confidence: 0.3 }];

describe('oversight figures', () => {
  it('are those that one computes by hand', async () => {
    // 480 words take two minutes at 240 a minute.
    await harness.submit([
      question('o-1', 480, { decisions: DECISIONS }), question('o-2', 480, { decisions: DECISIONS }), question('o-3', 20), question('o-4', 20, { timeout_seconds: 600 }),
      question('o-5', 20, { reason: 'low_confidence' }), question('o-7', 480), question('o-8', 480),
    ]);
    await at(60);
    expect((await respond('o-3', 'approve', keys.bob)).status).toBe(200);
    await at(300);
    expect((await respond('o-1', 'approve', keys.alice)).status).toBe(200);
    // Asked 310 s ago, but ten seconds after her own answer before.
    await at(310);
    expect((await respond('o-2', 'reject', keys.alice)).status).toBe(200);
    expect((await store.post('/hitl/escalations/o-5/cancel', {}, keys.admin)).status).toBe(200);
    await at(700);
    expect((await respond('o-4', 'approve', keys.bob)).status).toBe(409);
    await harness.submit([question('o-6', 20, { revises: 'o-1', reason: 'low_confidence' })], 'low_confidence');
    await at(1_000);
    expect((await respond('o-6', 'reject', keys.bob)).status).toBe(200);
    // Two at one moment: one of them was not read.
    await at(2_000);
    const bulk = await store.post('/hitl/bulk/respond', { items: ['o-7', 'o-8'].map((id) => ({ interaction_id: id, user_input: { decision: 'approve' } })) }, keys.alice);
    expect(bulk.body).toMatchObject({ accepted: 2 });

    const oversight = await eventually('all eight have ended', async () => {
      const found = await read();
      return found.all.human + found.all.timeout + found.all.cancel === 8 && found;
    });
    expect(oversight).toMatchObject({ as_of: new Date(start + 2_000_000).toISOString(), days: 30, words_per_minute: 240 });
    // Times in order: 60, 300, 300, 310, 2000, 2000.
    expect(oversight.all).toEqual({ human: 6, timeout: 1, cancel: 1, timeout_share: 1 / 7, answers: 6, median_seconds: 305, p90_seconds: 2_000, readable: 6, faster_than_reading: 2, reversed: 1 });
    expect(oversight.reasons.map((one) => [one.reason, one.human, one.timeout, one.cancel, one.timeout_share, one.answers, one.median_seconds])).toEqual([
      ['hard_disagreement', 5, 1, 0, 1 / 6, 5, 310], ['low_confidence', 1, 0, 1, 0, 1, 300], ['inconsistent_evidence', 0, 0, 0, null, 0, null], ['custom_rule', 0, 0, 0, null, 0, null],
    ]);
    expect(oversight.reviewers).toEqual([
      { user_id: 'alice', answers: 4, median_seconds: 1_155, p90_seconds: 2_000, readable: 4, faster_than_reading: 2, reversed: 1, reasons: [{ reason: 'hard_disagreement', answers: 4, median_seconds: 1_155, p90_seconds: 2_000 }] },
      {
        user_id: 'bob', answers: 2, median_seconds: 180, p90_seconds: 276, readable: 2, faster_than_reading: 0, reversed: 0,
        reasons: [{ reason: 'hard_disagreement', answers: 1, median_seconds: 60, p90_seconds: 60 }, { reason: 'low_confidence', answers: 1, median_seconds: 300, p90_seconds: 300 }],
      },
    ]);
    // One approval and one rejection of the same three words: each agent is right once. So is the synthesis: of 0.9 against 0.8, since texts are compared as written.
    expect(oversight.agents).toEqual(['ops', 'risk', 'sales'].map((name) => ({ name, agreed: 1, disagreed: 1, agreement: 0.5 })));
    expect(oversight.synthesis).toEqual({ agreed: 1, disagreed: 1, agreement: 0.5 });
    expect(oversight.reversals).toEqual([{ request_id: 'o-1', verdict: 'approve', revised_by: 'o-6', revised_verdict: 'reject', revised_at: new Date(start + 1_000_000).toISOString(), reviewers: ['alice'] }]);
  });

  it('follow the speed of reading that is asked for', async () => {
    // At 2,000 words a minute 480 take 14.4 s: ten seconds and none are still too short. At 50 they take 576 s.
    expect((await read('?words_per_minute=2000')).all.faster_than_reading).toBe(2);
    expect((await read('?words_per_minute=50')).all.faster_than_reading).toBe(3);
  });

  it('count nothing twice, whatever changes after the end, and only their window', async () => {
    await harness.database.sql`update store.escalations set changed_xid = pg_current_xact_id() where status <> 'pending'`;
    const loop = new OversightLoop(harness.database.sql, createLogger('test', 'silent'));
    await loop.runOnce();
    await loop.runOnce();
    expect((await read()).all).toMatchObject({ human: 6, answers: 6 });
    expect((await read()).agents).toHaveLength(3);
    await at(3 * 86_400);
    expect((await read('?days=2')).all).toMatchObject({ human: 0, timeout: 0, answers: 0, reversed: 0, timeout_share: null, median_seconds: null });
    expect((await read('?days=4')).all).toMatchObject({ human: 6, answers: 6, reversed: 1 });
  });

  it('that are kept are not shown once a person was erased', async () => {
    const { sql } = harness.database;
    let now = 0;
    const reads = new OversightReads(sql, new KeptFigures(OVERSIGHT_KEEPING, () => (now += 1_000)));
    const first = await reads.read('default', 7, 240);
    expect(await reads.read('default', 7, 240)).toBe(first);
    await sql`insert into store.erasures (id, namespace, scope, pseudonym, reason, requested_by, done_at) values (gen_random_uuid(), 'default', 'person', 'erased-1', 'left', 'admin', clock_timestamp())`;
    const anew = await reads.read('default', 7, 240);
    expect(anew).not.toBe(first);
    expect(await reads.read('default', 7, 240)).toBe(anew);
  });

  it('are for administrators of the namespace', async () => {
    expect((await store.get('/hitl/stats/oversight', keys.alice)).status).toBe(403);
    expect((await read('', keys.stranger)).all).toMatchObject({ human: 0, answers: 0 });
    expect((await store.get('/hitl/stats/oversight?days=91', keys.admin)).status).toBe(422);
  });
});

describe('what there is to read', () => {
  const content = (text: string) => contentOf(encodeUtf8(text));
  const state = { kind: 'escalation', rules: { prompt: 'Please decide', review_data: { content: { title: 'Two words', lines: ['three more words'] } } } } as unknown as Parameters<typeof readingWords>[0];

  it('is counted in words of all texts', () => {
    expect(wordsIn(['one, two –  three\nfour', { five: ['six'] }, 7, null, '—'])).toBe(5);
    // Plain ASCII is counted in another way.
    expect(wordsIn(['\tone, -- two\v3rd\r\n.\f_x_ a1 ', ''])).toBe(5);
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'aZ09_-.,\t\n\v\f\r \u00a0é—\u2028𝟙'), maxLength: 40 }), (text) => {
      expect(wordsIn(text)).toBe(text.split(/\s+/u).filter((run) => /[\p{L}\p{N}]/u.test(run)).length);
    }));
    const body = content('{"request_id":"not counted","summary":"a b","agent_decisions":[{"agent_name":"x y z","rationale":"c","evidence":["d e"]},null]}');
    expect(readingWords(state, body)).toBe(5 + 2 + 5);
    expect(readingWords({ ...state, kind: 'interaction' }, content('{"pipeline_name":"p","data":{"a":"b c","d":["e"]}}'))).toBe(3 + 2 + 5);
  });

  it('is unknown where the content is gone or cannot be read, and so are the agents', () => {
    for (const body of [null, encodeUtf8('{')]) expect([readingWords(state, contentOf(body)), agentWords(contentOf(body))]).toEqual([null, []]);
    expect(agentWords(content('{"agent_decisions":"none"}'))).toEqual([]);
  });

  it('of agents is their word and that of all, weighed by confidence', () => {
    const body = (decisions: object[]) => content(JSON.stringify({ agent_decisions: decisions }));
    const said = (decision_value: unknown, confidence: number, agent_name: string) => ({ agent_name, decision_value, confidence, rationale: 'r', evidence: [] });
    expect(agentWords(body([said(true, 0.4, 'a'), said(true, 0.4, 'b'), said(false, 0.7, 'c')])).map(({ word }) => word)).toEqual(['true', 'true', 'false', 'true']);
    expect(agentWords(body([said('x', 0.4, 'a'), said('y', 0.9, 'b')])).at(-1)).toEqual({ kind: 'synthesis', name: '', word: 'y' });
  });
});
