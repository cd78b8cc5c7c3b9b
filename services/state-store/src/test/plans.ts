import postgres from 'postgres';
import type { Sql } from '@umpire/runtime';

type Node = { 'Node Type': string; 'Relation Name'?: string; 'Actual Rows'?: number; 'Actual Loops'?: number; 'Rows Removed by Filter'?: number; Plans?: Node[] };
type Statement = { text: string; parameters: unknown[] };

/** One plan: which tables it reads whole, and how many rows its scans touched. */
export type PlanFacts = { text: string; seqScans: string[]; rowsRead: number };

export type Planner = {
  /** A connection whose statements are remembered. */
  sql: Sql;
  /** Plans of all statements that `work` sends: of each as it ran, and as it runs when it was planned for any values. */
  plansOf(work: () => Promise<unknown>): Promise<PlanFacts[]>;
  end(): Promise<void>;
};

export function planner(url: string): Planner {
  let statements: Statement[] = [];
  const sql = postgres(url, {
    max: 1,
    types: { bigint: postgres.BigInt },
    debug: (_, text, parameters) => {
      if (!/^\s*(explain|select\s+b\.oid)/i.test(text)) statements.push({ text, parameters });
    },
  }) as unknown as Sql;
  const quiet = postgres(url, { max: 1 });
  return {
    sql,
    async plansOf(work) {
      statements = [];
      await work();
      const facts: PlanFacts[] = [];
      for (const [index, { text, parameters }] of statements.entries()) {
        const literals = parameters.map(literal).join(', ');
        await quiet.unsafe(`prepare s${index} as ${text}`);
        for (const mode of ['force_custom_plan', 'force_generic_plan']) {
          await quiet.unsafe(`set plan_cache_mode = ${mode}`);
          const [row] = await quiet.unsafe(`explain (analyze, timing off, format json) execute s${index}${literals === '' ? '' : `(${literals})`}`);
          facts.push({ text, ...factsOf((row!['QUERY PLAN'] as { Plan: Node }[])[0]!.Plan) });
        }
        await quiet.unsafe(`deallocate s${index}`);
      }
      return facts;
    },
    end: async () => void (await Promise.all([sql.end(), quiet.end()])),
  };
}

function factsOf(plan: Node): Omit<PlanFacts, 'text'> {
  const nodes = [plan];
  for (const node of nodes) nodes.push(...(node.Plans ?? []));
  const scans = nodes.filter((node) => node['Relation Name'] !== undefined || node['Node Type'] === 'Bitmap Index Scan');
  return {
    // Postgres' own catalogue does not grow with the rows.
    seqScans: nodes.filter((node) => node['Node Type'] === 'Seq Scan').map((node) => node['Relation Name']!).filter((name) => !name.startsWith('pg_')),
    rowsRead: scans.reduce((sum, node) => sum + ((node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0)) * (node['Actual Loops'] ?? 0), 0),
  };
}

function literal(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  const text = Array.isArray(value) ? `{${value.map((part) => (part === null ? 'null' : `"${String(part).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`)).join(',')}}` : value instanceof Date ? value.toISOString() : String(value);
  return `'${text.replaceAll("'", "''")}'`;
}
