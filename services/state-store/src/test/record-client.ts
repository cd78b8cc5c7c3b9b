import type { Sql } from '@umpire/runtime';
import { eventually } from '@umpire/testing';
import type { Client } from './http.ts';

/**
 * Waits until no older transaction runs any more, in any database of the server: what may still commit behind a reader is not sealed,
 * and other tests' transactions can be long.
 */
export const nothingRunsBefore = (sql: Sql) => eventually('no older transaction runs', async () => {
  const [row] = await sql<[{ over: boolean }]>`select coalesce(max(changed_xid), '0') < pg_snapshot_xmin(pg_current_snapshot()) as over from store.escalations`;
  return row.over;
}, 120_000);

/** Seals everything that is committed. */
export async function seal(sql: Sql, http: Client, admin: string): Promise<void> {
  await nothingRunsBefore(sql);
  await http.post('/audit/checkpoints', {}, admin);
}

/** Brings a namespace's whole export out, page by page, as `umpire audit export` does. @returns its lines */
export async function exportLines(origin: string, key: string, query = ''): Promise<string[]> {
  const lines: string[] = [];
  let path: string | undefined = `/audit/export${query}`;
  while (path !== undefined) {
    const response: Response = await fetch(`${origin}${path}`, { headers: { authorization: `Bearer ${key}` } });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    lines.push(...text.split('\n').slice(0, -1));
    path = /<([^>]+)>/.exec(response.headers.get('link') ?? '')?.[1];
  }
  return lines;
}
