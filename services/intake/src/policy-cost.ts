import { celEnv, celFunc, CelScalar, celList, celMethod, isCelList, isCelMap, listType, mapType, type CelEnv, type CelValue } from '@bufbuild/cel';
import { RE2JS } from '@bufbuild/re2';

/**
 * What one evaluation of one expression may cost. A unit is about one step of the evaluator, one node of a value that an operation
 * walks, or 64 characters; all of it takes some ten milliseconds. Counted, not timed: the same message always matches the same.
 */
export const COST_LIMIT = 20_000;

const CHARACTERS_PER_UNIT = 64;
/** `size` counts a text's code points. */
const COUNTED_PER_UNIT = 16;
const COPIES_PER_UNIT = 4;
/** Comparing maps looks every member up on the other side. */
const UNITS_PER_MEMBER = 4;
/** A step of the regular expression engine is one instruction of the pattern for one character of the text. */
const REGEX_STEPS_PER_UNIT = 16;
/** Calendar fields in a time zone ask the platform's tables. */
const CALENDAR_UNITS = 500;

const LONGEST_PATTERN = 200;
const LARGEST_PATTERN = 200;
const PATTERNS_KEPT = 1_000;

/** Names that no expression can write: what the compiler puts around operations so that they are paid for. */
export const METER = { tick: '@tick', range: '@range', walk: '@walk', among: '@among', size: '@size', index: '@index', calendar: '@calendar' } as const;

class CostExceeded extends Error {
  constructor() {
    super(`costs more than ${COST_LIMIT} units`);
  }
}

/** Evaluation is synchronous, so one purse serves all expressions, one after the other. */
let left = 0;

/** Runs one evaluation with a full purse. @returns what it gave, and what it cost: more than `COST_LIMIT` is an evaluation that did not end. */
export function metered<T>(evaluate: () => T): { result: T; cost: number } {
  left = COST_LIMIT;
  const result = evaluate();
  return { result, cost: COST_LIMIT - left };
}

/** Once the purse is empty every further charge fails, so loops end at their next turn whoever absorbs the error. */
function charge(units: number): void {
  left -= units;
  if (left < 0) throw new CostExceeded();
}

function chargeWalk(value: unknown): void {
  charge(1);
  if (typeof value === 'string') charge(Math.floor(value.length / CHARACTERS_PER_UNIT));
  else if (value instanceof Uint8Array) charge(Math.floor(value.length / CHARACTERS_PER_UNIT));
  else if (isCelList(value)) for (const item of value) chargeWalk(item);
  else if (isCelMap(value)) {
    for (const [key, item] of value) {
      charge(UNITS_PER_MEMBER);
      chargeWalk(key);
      chargeWalk(item);
    }
  }
}

/** A number as a key looks through a map's keys one by one. */
function chargeLookup(value: unknown): void {
  charge(1 + (isCelMap(value) ? Math.floor(value.size / COPIES_PER_UNIT) : 0));
}

type Pattern = { re: RE2JS; instructions: number };
const patterns = new Map<string, Pattern>();

/** RE2 syntax: no back-references, and time linear in the text. @throws Error saying why a pattern cannot be used */
export function compilePattern(text: string): Pattern {
  const known = patterns.get(text);
  if (known) return known;
  if (text.length > LONGEST_PATTERN) throw new Error(`a pattern may have ${LONGEST_PATTERN} characters`);
  const re = RE2JS.compile(text);
  const instructions = re.re2().prog.numInst();
  if (instructions > LARGEST_PATTERN) throw new Error(`the pattern is too large (${instructions} instructions of ${LARGEST_PATTERN}): repeat less`);
  if (patterns.size >= PATTERNS_KEPT) patterns.delete(patterns.keys().next().value!);
  const pattern = { re, instructions };
  patterns.set(text, pattern);
  return pattern;
}

const { BOOL, DOUBLE, DYN, INT, STRING } = CelScalar;
const LIST = listType(DYN);

/** JSON has one kind of number, so what is 3 in a message is a double here and 3 in an expression is not: CEL would add neither to the other. */
const mixedArithmetic = ([['_+_', (a, b) => a + b], ['_-_', (a, b) => a - b], ['_*_', (a, b) => a * b], ['_/_', (a, b) => a / b]] as [string, (a: number, b: number) => number][]).flatMap(([name, of]) => [
  celFunc(name, [DOUBLE, INT], DOUBLE, (a, b) => of(a, Number(b))),
  celFunc(name, [INT, DOUBLE], DOUBLE, (a, b) => of(Number(a), b)),
]);

/** CEL's standard library with what is paid for put in the place of what is free. */
export const meteredEnvironment: CelEnv = celEnv({
  funcs: [
    ...mixedArithmetic,
    celFunc(METER.tick, [DYN, INT], DYN, (condition: CelValue, units: bigint) => (charge(Number(units)), condition)),
    celFunc(METER.range, [DYN], DYN, (range: CelValue) => (charge(sizeOf(range)), range)),
    celFunc(METER.walk, [DYN], DYN, (value: CelValue) => (chargeWalk(value), value)),
    celFunc(METER.size, [DYN], DYN, (value: CelValue) => (charge(1 + (typeof value === 'string' ? Math.floor(value.length / COUNTED_PER_UNIT) : 0)), value)),
    celFunc(METER.index, [DYN], DYN, (value: CelValue) => (chargeLookup(value), value)),
    celFunc(METER.among, [DYN], DYN, (value: CelValue) => (isCelMap(value) ? chargeLookup(value) : chargeWalk(value), value)),
    celFunc(METER.calendar, [DYN], DYN, (value: CelValue) => (charge(CALENDAR_UNITS), value)),
    // The library's own keeps the two lists and walks through all of what was ever added to reach an item.
    celFunc('_+_', [LIST, LIST], LIST, (a, b) => {
      charge(1 + Math.floor((a.size + b.size) / COPIES_PER_UNIT));
      return celList([...a, ...b]);
    }),
    // The library's own takes a member that is null for one that is missing.
    celFunc('@in', [STRING, mapType(DYN, DYN)], BOOL, (key, map) => map.get(key) !== undefined),
    celMethod('matches', STRING, [STRING], BOOL, function matches(this: string, text: string) {
      const { re, instructions } = compilePattern(text);
      charge(Math.ceil((this.length * instructions) / REGEX_STEPS_PER_UNIT));
      return re.test(this);
    }),
  ],
});

function sizeOf(value: unknown): number {
  return isCelList(value) || isCelMap(value) ? value.size : 1;
}
