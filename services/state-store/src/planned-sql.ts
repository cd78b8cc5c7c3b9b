import type { Sql } from '@umpire/runtime';
import { KeptChoices } from './kept-choices.ts';

/** From so many rows on the planner knows a table well enough, and until it doubles the table is analysed again, which ends the plans. */
const KNOWN_ROWS = 10_000;
const CHOICE_MS = 10_000;

/**
 * Which connections the statements of lists go to. Which index a list is read from is chosen before, so that one plan is good for all values, and
 * planning costs as much as reading a page. `once` has connections that plan a statement for any values and keep that until its tables
 * are analysed anew. A plan made of small tables would be kept while they grow, with any index of an empty table as good as another: so
 * long they are planned each time, by `anew`.
 */
export class PlannedSql {
  private readonly anew: Sql;
  private readonly once: Sql | null;
  private readonly known = new KeptChoices<boolean>({ keepMs: CHOICE_MS, most: 1, now: () => performance.now() });

  /** @param once null where nothing is planned once: behind a pooler */
  constructor(anew: Sql, once: Sql | null) {
    this.anew = anew;
    this.once = once;
  }

  /** @throws what the database throws */
  async choose(): Promise<Sql> {
    if (this.once === null) return this.anew;
    return (await this.known.get('', () => this.areKnown())) ? this.once : this.anew;
  }

  private async areKnown(): Promise<boolean> {
    const [row] = await this.anew<{ rows: number }[]>`
      select min(reltuples)::float8 as rows from pg_catalog.pg_class where oid in ('store.escalations'::regclass, 'store.assignments'::regclass, 'store.payloads'::regclass)`;
    return row!.rows >= KNOWN_ROWS;
  }
}
