import type { Summary } from './numbers.ts';
import type { Measured } from './rounds.ts';

/** An aim of the table, what was measured, and whether it was met: never decided by hand. */
export type Aim = { what: string; aim: string; measured: number; unit: string; met: boolean; spread?: Summary };

export type Bar = { label: string; summary: Summary };
export type Chart = { title: string; unit: string; bars: Bar[] };

export type PartResult = { measured: Measured[]; aims: Aim[]; charts: Chart[]; notes?: string[] };

export type Options = { quick: boolean; rounds: number; only?: string | undefined };

/** A row of the table (or several that are measured together): run alone by its name. */
export type Part = { name: string; title: string; run: (options: Options) => Promise<PartResult> };

export const atLeast = (what: string, least: number, spread: Summary, unit = ''): Aim =>
  ({ what, aim: `≥ ${least}${unit && ` ${unit}`}`, measured: spread.median, unit, met: spread.median >= least, spread });

export const atMost = (what: string, most: number, spread: Summary, unit = ''): Aim =>
  ({ what, aim: `≤ ${most}${unit && ` ${unit}`}`, measured: spread.median, unit, met: spread.median <= most, spread });
