import { idToken, parseIdToken, UmpireError, type Principal } from '@umpire/contract';
import { transaction, withDeadline, type Sql } from '@umpire/runtime';
import { appendLog } from './audit-log.queries.ts';
import { windowEnd } from './erasure.queries.ts';
import type { ExportPage } from './export.service.ts';
import { identityOf, personEvents, type PersonEvent } from './person.queries.ts';

const READ_MS = 10_000;
/** Escalations gone through for one page. */
const WINDOW = 500;

/**
 * What is known of one person in a namespace: what identity holds, what they did, with their own words, and where others' doings name
 * them, without others' words.
 */
export class PersonExports {
  private readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  async begin(caller: Principal, person: string): Promise<ExportPage> {
    const { namespace } = caller;
    const rows = await transaction(this.sql, READ_MS, async (tx) => {
      // The log says that a person's data were taken out; whose, only the asker needs to know.
      await appendLog(tx, namespace, { kind: 'person_export', by: caller.user_id ?? `key:${caller.key_id}` });
      return identityOf(tx, namespace, person);
    });
    const head = { kind: 'person', namespace, user_id: person };
    return { lines: [head, ...rows].map(line), next: '' };
  }

  /** @param after the id behind which to go on, as its token; empty at the beginning */
  async page(caller: Principal, person: string, after: string): Promise<ExportPage> {
    const { namespace } = caller;
    const from = after === '' ? '' : parseIdToken(after);
    if (from === null) throw new UmpireError('bad_request', 'after is not a cursor of this export');
    const until = await withDeadline(windowEnd(this.sql, namespace, from, WINDOW), READ_MS, 'window');
    if (until === null) return { lines: [], next: null };
    const events = await withDeadline(personEvents(this.sql, namespace, { after: from, until }, JSON.stringify(person)), READ_MS, 'events of a person');
    return { lines: events.map((event) => line(ownOf(event))), next: idToken(until) };
  }
}

const line = (value: unknown): string => `${JSON.stringify(value)}\n`;

function ownOf({ acted, actor, data, ...event }: PersonEvent): Record<string, unknown> {
  if (!acted) return { kind: 'named', ...event };
  return { kind: 'acted', ...event, actor: actor === null ? null : (JSON.parse(actor) as unknown), data: data === null ? null : (JSON.parse(data) as unknown) };
}
