import { describe, expect, it } from 'vitest';
import { allCases, shortCase } from './cases/index.ts';
import { runCase } from './fault-case.ts';

/**
 * `UMPIRE_FAULTS` names the cases (separated by commas; `all` is all of them), with their full load. Without it the short ones run.
 * `UMPIRE_SEED` repeats a run's choices.
 */
const wanted = process.env['UMPIRE_FAULTS'];
const seed = Number(process.env['UMPIRE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const short = wanted === undefined;
const names = short ? [shortCase.name] : wanted === 'all' ? allCases.filter((one) => one !== shortCase).map(({ name }) => name) : wanted.split(',');
const unknown = names.filter((name) => !allCases.some((one) => one.name === name));
if (unknown.length > 0) throw new Error(`there is no case ${unknown.join(', ')}; there are ${allCases.map(({ name }) => name).join(', ')}`);
const chosen = allCases.filter(({ name }) => names.includes(name));

describe(`faults (UMPIRE_SEED=${seed})`, () => {
  for (const one of chosen) {
    it(`${one.name}: ${one.breaks}`, async ({ skip }) => {
      const reason = await one.unless?.();
      if (reason) {
        console.log(`[faults ${one.name}] SKIPPED: ${reason}`);
        skip(reason);
      }
      const { counts, findings } = await runCase(one, seed, one === shortCase);
      expect(findings).toEqual([]);
      const stored = counts['acked'];
      expect(counts).toMatchObject({ stored, opened: stored, resolved: stored, outcomes: stored, gaps: 0, early: 0 });
      // An audit over nothing holds: some of every kind must have been there, and the fault must have taken place.
      const there = ['byHuman', 'byTimeout', 'byCancel', 'fired', 'reminded', 'deadLetters', ...(one.shows ?? [])];
      expect(there.filter((name) => !(counts[name]! > 0))).toEqual([]);
    }, 900_000);
  }
});
