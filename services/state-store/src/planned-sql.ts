import type { Sql } from '@umpire/runtime';
import { KeptChoices } from './kept-choices.ts';

/** A table of so many rows is known to the planner. It is analysed again when half of it has changed, which ends the plans made of it. */
const KNOWN_ROWS = 10_000;
const CHOICE_MS = 10_000;

/**
 * Which connections the statements of lists go to. Which index a list is read from is chosen before, so that one plan is good for all values, and
 * planning costs as much as reading a page. The connections of `once` plan a statement for any values and keep the plan until its tables
 * are analysed anew. Of an empty table any index looks as good as another, and such a plan would be kept while it fills: as long as the
 * tables are small, each statement is planned for itself, by `anew`.
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
