import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { svgOf } from './chart.ts';
import type { Machine } from './machine.ts';
import { quantile, type Summary } from './numbers.ts';
import type { Aim, PartResult } from './part.ts';
import { round } from './progress.ts';
import { byContender } from './rounds.ts';

/** What a part leaves in `results/<part>.json`. */
export type Result = PartResult & { part: string; title: string; began: string; ended: string; commit: string; machine: Machine };

const RESULTS = new URL('../../results/', import.meta.url);
const README = new URL('../../README.md', import.meta.url);
const [BEGIN, END] = ['<!-- results: written by `npm run bench`, not by hand -->', '<!-- end of results -->'];

export function keep(result: Result): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(new URL(`${result.part}.json`, RESULTS), `${JSON.stringify(result, null, 1)}\n`);
}

/** Writes charts and the tables of the README anew from all results that are kept, in the order of `parts`. */
export function writeReport(parts: readonly string[]): void {
  const kept = readdirSync(RESULTS).filter((name) => name.endsWith('.json')).map((name) => JSON.parse(readFileSync(new URL(name, RESULTS), 'utf8')) as Result);
  const results = kept.sort((a, b) => parts.indexOf(a.part) - parts.indexOf(b.part));
  for (const result of results) result.charts.forEach((chart, index) => writeFileSync(new URL(chartName(result, index), RESULTS), svgOf(chart)));
  const text = readFileSync(README, 'utf8');
  const [before, after] = [text.slice(0, text.indexOf(BEGIN)), text.slice(text.indexOf(END))];
  writeFileSync(README, `${before}${BEGIN}\n\n${aimsTable(results)}\n\n${results.map(section).join('\n\n')}\n\n${after}`);
}

const chartName = (result: Result, index: number) => `${result.part}${index === 0 ? '' : `-${index + 1}`}.svg`;
const spread = ({ median, min, max }: Summary) => `${round(median)} (${round(min)} to ${round(max)})`;
const row = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
const table = (head: string[], rows: string[][]) => [row(head), `|${head.map(() => '---|').join('')}`, ...rows.map(row)].join('\n');

function aimsTable(results: Result[]): string {
  const line = (part: string, { what, aim, measured, unit, met, spread: seen }: Aim) =>
    [`[${part}](#${part})`, what, aim, `${seen ? spread(seen) : round(measured)}${unit && ` ${unit}`}`, aim === '–' ? '–' : met ? 'met' : '**not met**'];
  return table(['part', 'what', 'aim', 'measured: median (least to most)', ''], results.flatMap((result) => result.aims.map((aim) => line(result.part, aim))));
}

function section(result: Result): string {
  const found = Object.entries(byContender(result.measured));
  const loads = result.measured.map((one) => one.load);
  const others = result.measured.map((one) => one.others * 100);
  const groups = Map.groupBy(found, ([, metrics]) => columnsOf(metrics).join(' '));
  const tables = [...groups.values()].map((group) => {
    const columns = columnsOf(group[0]![1]);
    return table(['', ...columns], group.map(([name, metrics]) => [name, ...columns.map((column) => spread(metrics[column]!))]));
  });
  const rounds = Math.max(...result.measured.map((one) => one.round));
  return [
    `## ${result.part}`,
    `${result.title}. ${rounds} ${rounds === 1 ? 'round' : 'rounds'}, ${result.began.slice(0, 16).replace('T', ' ')} UTC, commit ${result.commit}. Load average ${round(quantile(loads, 0.5))} (${round(Math.min(...loads))} to ${round(Math.max(...loads))}); ` +
      `other programs had ${round(quantile(others, 0.5))} % of the processors (${round(Math.min(...others))} to ${round(Math.max(...others))} %). ${machineOf(result.machine)}`,
    ...(result.notes ?? []),
    ...result.charts.map((chart, index) => `![${chart.title}](results/${chartName(result, index)})`),
    ...tables,
    ...cpuTable(found),
  ].join('\n\n');
}

/** Results of before it was measured do not tell the hand-over. */
const machineOf = ({ cpu, cores, hand_over_us }: Machine) => `${cores} × ${cpu}${(hand_over_us as number | undefined) === undefined ? '' : `, ${hand_over_us} µs to hand over to a thread and back`}.`;

const columnsOf = (metrics: Record<string, Summary>) => Object.keys(metrics).filter((name) => !name.startsWith('cpu_'));

/** CPU time is what holds on a machine that others use as well: it hardly depends on who else is running. */
function cpuTable(found: [string, Record<string, Summary>][]): string[] {
  const measured = found.filter(([, metrics]) => Object.keys(metrics).some((name) => name.startsWith('cpu_')));
  const names = [...new Set(measured.flatMap(([, metrics]) => Object.keys(metrics).filter((name) => name.startsWith('cpu_'))))];
  const shown = names.filter((name) => measured.some(([, metrics]) => (metrics[name]?.median ?? 0) >= 1));
  if (shown.length === 0) return [];
  const sum = (metrics: Record<string, Summary>) => names.reduce((total, name) => total + (metrics[name]?.median ?? 0), 0);
  return ['CPU time for each, µs, median of the rounds:', table(['', ...shown.map((name) => name.slice(4)), 'sum'], measured.map(([label, metrics]) => [label, ...shown.map((name) => (metrics[name] ? metrics[name].median.toFixed(0) : '–')), sum(metrics).toFixed(0)]))];
}
