import { readFileSync } from 'node:fs';
import type { Interaction, Quorum } from '@umpire/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Case, HOUR, START, person, rulesOf } from '../test/fixtures.ts';
import { evolve, openEscalation, resultOf } from './index.ts';
import type { EscalationState } from './index.ts';

const page = readFileSync(new URL('../../../docs/rules.md', import.meta.url), 'utf8');

type Row = { quorum: Quorum; column: string; example: string };

/** Every example of the tables whose first column is headed `quorum`. */
function examples(): Row[] {
  const rows: Row[] = [];
  let columns: string[] = [];
  for (const line of page.split('\n')) {
    const cells = line.startsWith('|') ? line.split('|').slice(1, -1).map(cell => cell.trim()) : [];
    if (!cells.length) columns = [];
    else if (cells[0] === 'quorum') columns = cells;
    else if (columns.length && cells[0]!.startsWith('`')) {
      const name = cells[0]!.replaceAll('`', '');
      const quorum = (name.startsWith('at_least') ? { at_least: Number(name.split(' ')[1]) } : name) as Quorum;
      cells.slice(1).forEach((cell, i) => cell.split('<br>').forEach(example => rows.push({ quorum, column: columns[i + 1]!, example: example.replaceAll('`', '') })));
    }
  }
  return rows;
}

const VOTES: Record<string, string> = { '+': 'approve', '-': 'reject', c: 'request_changes', '~': 'abstain' };
const PEOPLE: Record<string, string> = { a: 'alice', b: 'bob', c: 'carol' };
const OPTIONS = ['approve', 'reject', 'request_changes', 'abstain'];

function asked(quorum: Quorum, veto: string[] = []): Interaction {
  return { options: OPTIONS, quorum, veto, assignees: { users: ['alice', 'bob', 'carol'] } };
}

describe('the table in docs/rules.md', () => {
  const rows = examples();

  it('has every quorum with every kind of vote', () => {
    const seen = new Set(rows.map(({ quorum, column }) => `${JSON.stringify(quorum)} ${column}`));
    const columns = ['no vote', 'one vote', 'many votes', 'split or abstaining', 'changed while open', 'duplicate', 'late', 'veto'];
    const quorums: Quorum[] = ['any', { at_least: 2 }, 'majority', 'all', 'consensus'];
    expect([...seen].sort()).toEqual(quorums.flatMap(quorum => columns.map(column => `${JSON.stringify(quorum)} ${column}`)).sort());
  });

  it.each(rows)('$quorum, $column: $example', ({ quorum, column, example }) => {
    const [, votes = '', outcome, told] = /^(.*?)→ (\w+)(?: \((\w+)\))?$/.exec(example) ?? [];
    const it = new Case(asked(quorum, column === 'veto' ? ['bob'] : []));
    let last = 'accepted';
    for (const step of votes.trim().split(' ').filter(Boolean)) {
      it.after(1000);
      if (step === 'T') {
        it.now = it.state.deadline!;
        it.ring('deadline');
        continue;
      }
      const decision = it.answer(PEOPLE[step[0]!]!, VOTES[step[1]!]!);
      last = decision.refusal?.code ?? (decision.repeat ? 'repeat' : 'accepted');
    }
    expect(it.state.outcome?.verdict ?? (it.state.status === 'pending' ? 'open' : it.state.status)).toBe(outcome);
    expect(last).toBe(told ?? 'accepted');
  });
});

/** What a quorum means once everyone has voted, written from the words of the page and not from the code. */
function meaning(quorum: Quorum, votes: string[], vetoes: boolean[]): string | null {
  const refused = votes.find((vote, i) => vetoes[i] && vote !== 'approve' && vote !== 'abstain');
  if (refused) return refused;
  const count = (verdict: string): number => votes.filter(vote => vote === verdict).length;
  const voiced = votes.filter(vote => vote !== 'abstain');
  const needed = typeof quorum === 'object' ? quorum.at_least : votes.length / 2 + 0.5;
  if (quorum === 'consensus') return voiced.length && voiced.every(vote => vote === voiced[0]) ? voiced[0]! : null;
  if (quorum === 'all') return voiced.find(vote => vote !== 'approve') ?? voiced[0] ?? null;
  return ['approve', 'reject', 'request_changes'].find(verdict => count(verdict) >= needed) ?? null;
}

function names(size: number): string[] {
  return Array.from({ length: size }, (_, i) => `p${i}`);
}

function stateWith(quorum: Quorum, size: number, vetoes: boolean[], votes: [person: number, verdict: string][]): EscalationState {
  const users = names(size);
  const it = { options: OPTIONS, quorum, assignees: { users }, veto: users.filter((_, i) => vetoes[i]) };
  const rules = rulesOf(it);
  const opened = openEscalation({ namespace: 'default', request_id: 'r', reason: 'custom_rule', kind: 'escalation', rules, policy: null, electorate: { users, roles: [] } }, START);
  return votes.reduce((state, [i, verdict], at) => {
    const user_id = users[i]!;
    const data = { seat: user_id, user_id, via: null, verdict, response: { decision: verdict }, clocks: [] };
    return evolve(state, { type: 'responded', at: START + at, actor: person(user_id), data });
  }, evolve(null, opened));
}

function completions(votes: (string | null)[], verdicts: string[]): string[][] {
  return votes.reduce<string[][]>((all, vote) => all.flatMap(done => (vote === null ? verdicts : [vote]).map(next => [...done, next])), [[]]);
}

const counting = (size: number): fc.Arbitrary<Quorum> => {
  const above = Math.floor(size / 2) + 1;
  return fc.oneof(fc.constantFrom<Quorum>('all', 'majority', 'consensus'), fc.integer({ min: above, max: size }).map(at_least => ({ at_least })));
};

const ballots = fc.integer({ min: 1, max: 4 }).chain(size =>
  fc.record({
    size: fc.constant(size),
    quorum: counting(size),
    vetoes: fc.array(fc.boolean(), { minLength: size, maxLength: size }),
    votes: fc.array(fc.constantFrom('approve', 'reject', 'abstain', null), { minLength: size, maxLength: size }),
    order: fc.shuffledSubarray(names(size).map((_, i) => i), { minLength: size }),
  }),
);

describe('what a quorum means', () => {
  it('settles exactly when the missing votes cannot change the result', () => {
    fc.assert(
      fc.property(ballots, ({ size, quorum, vetoes, votes, order }) => {
        const cast = order.filter(i => votes[i] !== null).map((i): [number, string] => [i, votes[i]!]);
        const state = stateWith(quorum, size, vetoes, cast);
        const ends = new Set(completions(votes, ['approve', 'reject', 'abstain']).map(all => meaning(quorum, all, vetoes)));
        const certain = ends.size === 1 ? [...ends][0]! : null;
        expect(resultOf(state)?.verdict ?? null).toBe(certain);
      }),
      { numRuns: 2000 },
    );
  });

  it('does not depend on the order of votes', () => {
    const three = fc.constantFrom('approve', 'reject', 'request_changes', 'abstain');
    const shuffled = fc.integer({ min: 1, max: 5 }).chain(size =>
      fc.record({
        quorum: counting(size),
        vetoes: fc.array(fc.boolean(), { minLength: size, maxLength: size }),
        votes: fc.array(three, { minLength: size, maxLength: size }),
        one: fc.shuffledSubarray(names(size).map((_, i) => i), { minLength: size }),
        other: fc.shuffledSubarray(names(size).map((_, i) => i), { minLength: size }),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ quorum, vetoes, votes, one, other }) => {
        const run = (order: number[]): string | null => {
          const users = names(votes.length);
          const it = new Case({ options: OPTIONS, quorum, assignees: { users }, veto: users.filter((_, i) => vetoes[i]) });
          for (const i of order) it.answer(users[i]!, votes[i]!);
          return it.state.outcome?.verdict ?? null;
        };
        const [first, second] = [run(one), run(other)];
        const refusals = new Set(votes.filter(vote => vote === 'reject' || vote === 'request_changes'));
        if (refusals.size < 2) expect(first).toBe(second);
        expect(first === 'approve').toBe(second === 'approve');
        expect(first === null).toBe(second === null);
      }),
      { numRuns: 500 },
    );
  });

  it('never settles on a verdict that fewer people gave than were asked for', () => {
    const any = fc.record({ n: fc.integer({ min: 1, max: 3 }), votes: fc.array(fc.constantFrom('approve', 'reject', 'request_changes', 'abstain'), { minLength: 5, maxLength: 5 }) });
    fc.assert(
      fc.property(any, ({ n, votes }) => {
        const it = new Case({ options: OPTIONS, quorum: { at_least: n }, assignees: { roles: ['reviewer'] } });
        votes.forEach((vote, i) => it.answer(`p${i}`, vote));
        const reached = OPTIONS.filter(verdict => verdict !== 'abstain' && votes.filter(vote => vote === verdict).length >= n);
        expect(it.state.outcome !== null).toBe(reached.length > 0);
        if (it.state.outcome) {
          expect(reached).toContain(it.state.outcome.verdict);
          expect(it.state.outcome.decided_by).toHaveLength(n);
        }
      }),
    );
  });
});

describe('quorums over people who come and go', () => {
  it('counts the electorate after four-eyes', () => {
    const it = new Case({ ...asked('majority'), exclude: ['carol'] });
    it.answer('alice', 'approve');
    expect(it.state.status).toBe('pending');
    it.answer('bob', 'approve');
    expect(it.state.outcome).toMatchObject({ verdict: 'approve', decided_by: ['alice', 'bob'] });
  });

  it('a raise makes a majority of more people, and keeps votes and deadline', () => {
    const it = new Case({ ...asked('majority'), levels: [{ after_seconds: 60, assignees: { users: ['dave', 'erin'] } }] });
    it.answer('alice', 'approve');
    const { deadline } = it.state;
    it.after(60_000).ring('level');
    expect(it.state).toMatchObject({ level: 1, revision: 2, deadline });
    it.answer('bob', 'approve');
    expect(it.state.status).toBe('pending');
    it.answer('erin', 'approve');
    expect(it.state.outcome).toMatchObject({ verdict: 'approve', decided_by: ['alice', 'bob', 'erin'], seq: 6 });
  });

  it('an approving veto holder is waited for, also where one answer from a role is enough', () => {
    const it = new Case({ options: OPTIONS, veto: ['bob'] });
    it.answer('alice', 'approve');
    expect(it.state.status).toBe('pending');
    it.answer('bob', 'approve');
    expect(it.state.outcome).toMatchObject({ verdict: 'approve', decided_by: ['alice', 'bob'] });
  });

  it('expires a tie at its deadline with the votes on record and nobody quoted', () => {
    const it = new Case({ ...asked('majority'), assignees: { users: ['alice', 'bob'] } });
    it.answer('alice', 'approve');
    it.answer('bob', 'reject');
    it.after(HOUR).ring('deadline');
    expect(it.state.outcome).toMatchObject({ state: 'expired', verdict: null, source: 'timeout', decided_by: [], votes: [{ user_id: 'alice' }, { user_id: 'bob' }] });
  });
});
