import { randomBytes } from 'node:crypto';
import { idToken, parseIdToken, UmpireError, type Principal } from '@umpire/contract';
import { hexOf, saltedDigest } from '@umpire/record';
import { transaction, withDeadline, type Sql } from '@umpire/runtime';
import { appendLog, askerOf, ownEntry } from './audit-log.queries.ts';
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
    const salt = hexOf(randomBytes(16));
    const { entry, rows } = await transaction(this.sql, READ_MS, async (tx) => {
      // The log, which is never erased, says that a person's data were taken out; whose, only the asker can show, by a salt that nobody else has.
      const number = await appendLog(tx, namespace, { kind: 'person_export', by: askerOf(caller), of: digestOf(salt, person) });
      return { entry: number, rows: await identityOf(tx, namespace, person) };
    });
    const head = { kind: 'person', namespace, user_id: person };
    return { lines: [head, ...rows].map(line), next: `${entry}.${salt}.` };
  }

  /**
   * @param after number of the log's entry, salt of the name in it, and the id behind which to go on, as its token; empty at the beginning
   * @throws UmpireError `bad_request` for what is no cursor of this export, begun by the caller
   */
  async page(caller: Principal, person: string, after: string): Promise<ExportPage> {
    const { namespace } = caller;
    const [, number, salt, token] = CURSOR.exec(after) ?? [];
    const from = token === '' ? '' : parseIdToken(token ?? '');
    const begun = number === undefined ? null : await withDeadline(ownEntry(this.sql, caller, 'person_export', Number(number)), READ_MS, 'entry of an export');
    if (from === null || begun?.['of'] !== digestOf(salt!, person)) throw new UmpireError('bad_request', 'after is not a cursor of this export');
    const until = await withDeadline(windowEnd(this.sql, namespace, from, WINDOW), READ_MS, 'window');
    if (until === null) return { lines: [], next: null };
    const events = await withDeadline(personEvents(this.sql, namespace, { after: from, until }, JSON.stringify(person)), READ_MS, 'events of a person');
    return { lines: events.map((event) => line(ownOf(event))), next: `${number}.${salt}.${idToken(until)}` };
  }
}

const CURSOR = /^([1-9][0-9]{0,8})\.([0-9a-f]{32})\.([A-Za-z0-9_-]*)$/;
const digestOf = (salt: string, person: string): string => hexOf(saltedDigest(Buffer.from(salt, 'hex'), person));
const line = (value: unknown): string => `${JSON.stringify(value)}\n`;

function ownOf({ acted, actor, data, ...event }: PersonEvent): Record<string, unknown> {
  if (!acted) return { kind: 'named', ...event };
  return { kind: 'acted', ...event, actor: actor === null ? null : (JSON.parse(actor) as unknown), data: data === null ? null : (JSON.parse(data) as unknown) };
}
