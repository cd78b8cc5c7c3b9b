import { idToken, parseIdToken, UmpireError, type Principal } from '@umpire/contract';
import { EXPORT_TYP, hexOf, type ChainLine, type EventLine, type ExportLine, type ExportStatement } from '@umpire/record';
import { databaseNow, transaction, withDeadline, type Sql } from '@umpire/runtime';
import { z } from 'zod';
import { appendLog, askerOf, logEntries, ownEntry } from './audit-log.queries.ts';
import type { Checkpoints } from './checkpoint.loop.ts';
import { checkpointAt, checkpointNumber, lastCheckpoint, type CheckpointRow } from './checkpoint.queries.ts';
import { sealedEvents, type ExportPlace, type SealedEvent } from './export.queries.ts';
import type { SigningKeys } from './signing-keys.service.ts';

const READ_MS = 5_000;
const LOG_ENTRIES = 500;
/** A page ends with the line that reaches it: about a second's work, and well within every proxy's patience. */
const PAGE_BYTES = 2 * 1024 * 1024;

/**
 * Which checkpoints an export has yet to bring, and where in the first of them it stands. `head`: its own line is out; `entry`: where the log
 * says that it was begun.
 */
type Cursor = ExportPlace & { entry: number; last: number; head: boolean };
const cursorSchema = z.tuple([z.int().min(1), z.int().min(1), z.int().min(1), z.string().max(1_024), z.int().min(0), z.boolean()]);

/** Lines of NDJSON, and where the next page begins; null at the end. */
export type ExportPage = { lines: string[]; next: string | null };
export type ExportRange = { since: string | undefined; until: string | undefined };

/**
 * Brings a namespace's record out, checkpoint by checkpoint, a page at a time. What it reaches is fixed, and signed, by its first line;
 * whoever is cut off goes on where the last page ended. Memory is bounded by the page, not by the record.
 */
export class Exports {
  private readonly sql: Sql;
  private readonly keys: SigningKeys;
  private readonly checkpoints: Checkpoints;

  constructor(sql: Sql, keys: SigningKeys, checkpoints: Checkpoints) {
    this.sql = sql;
    this.keys = keys;
    this.checkpoints = checkpoints;
  }

  /** Seals what there is, notes in the log that it was exported, and begins. @throws UmpireError `unavailable` without a signing key */
  async begin(caller: Principal, { since, until }: ExportRange): Promise<ExportPage> {
    const { namespace } = caller;
    const entry = await transaction(this.sql, READ_MS, (tx) => appendLog(tx, namespace, { kind: 'export', by: askerOf(caller), since: since ?? null, until: until ?? null }));
    await this.checkpoints.sealAll();
    const { first, last } = await this.reach(namespace, since, until);
    const before = first === null || first === 1 ? null : await checkpointNumber(this.sql, namespace, first - 1);
    const statement: ExportStatement = {
      v: 1, namespace, at: new Date(await databaseNow(this.sql)).toISOString(), since: since ?? null, until: until ?? null,
      first, last: last?.number ?? null, last_digest: last === null ? null : hexOf(last.digest),
      before: before?.jws ?? null,
    };
    const lines = [
      line({ kind: 'export', jws: (await this.keys.signer()).sign(EXPORT_TYP, JSON.stringify(statement)) }),
      line({ kind: 'keys', ...(await this.keys.published()) }),
    ];
    return { lines, next: first === null || last === null ? null : encodeCursor({ entry, number: first, last: last.number, request_id: '', seq: 0, head: false }) };
  }

  /** @throws UmpireError `bad_request` for what is no cursor of an export that the caller has begun: none is made that is not on record */
  async page(caller: Principal, after: string): Promise<ExportPage> {
    const { namespace } = caller;
    let cursor: Cursor | null = decodeCursor(after);
    if ((await withDeadline(ownEntry(this.sql, caller, 'export', cursor.entry), READ_MS, 'entry of an export')) === null) throw noCursor();
    const lines: string[] = [];
    let bytes = 0;
    while (cursor !== null && bytes < PAGE_BYTES) {
      const added: string[] = [];
      cursor = cursor.head ? await this.events(namespace, cursor, PAGE_BYTES - bytes, added) : await this.head(namespace, cursor, added);
      for (const text of added) bytes += text.length;
      lines.push(...added);
    }
    return { lines, next: cursor === null ? null : encodeCursor(cursor) };
  }

  private async reach(namespace: string, since: string | undefined, until: string | undefined): Promise<{ first: number | null; last: CheckpointRow | null }> {
    const newest = await withDeadline(lastCheckpoint(this.sql, namespace), READ_MS, 'last checkpoint');
    const first = newest === null ? null : since === undefined ? 1 : await checkpointAt(this.sql, namespace, since);
    if (newest === null || first === null) return { first: null, last: null };
    const end = until === undefined ? null : await checkpointAt(this.sql, namespace, until);
    return { first, last: end === null ? newest : await checkpointNumber(this.sql, namespace, Math.max(end, first)) };
  }

  /** A checkpoint's own line and the log's entries that it sealed. */
  private async head(namespace: string, cursor: Cursor, lines: string[]): Promise<Cursor> {
    const [checkpoint, before] = await Promise.all([checkpointNumber(this.sql, namespace, cursor.number), checkpointNumber(this.sql, namespace, cursor.number - 1)]);
    if (!checkpoint) throw new UmpireError('bad_request', `there is no checkpoint ${cursor.number}: begin the export again`);
    lines.push(line({ kind: 'checkpoint', jws: checkpoint.jws }));
    for (let after = before?.log_number ?? 0; after < checkpoint.log_number; ) {
      const entries = await logEntries(this.sql, namespace, after, checkpoint.log_number, LOG_ENTRIES);
      for (const { kind, ...entry } of entries) lines.push(line({ kind: 'log', entry_kind: kind, ...entry }));
      after = entries.at(-1)?.number ?? checkpoint.log_number;
    }
    return { ...cursor, head: true, request_id: '', seq: 0 };
  }

  /** Chains and events behind the cursor, until the page is full or no chain of the checkpoint is left. */
  private async events(namespace: string, cursor: Cursor, room: number, lines: string[]): Promise<Cursor | null> {
    let { request_id, seq } = cursor;
    let bytes = 0;
    let any = false;
    for await (const rows of sealedEvents(this.sql, namespace, cursor)) {
      for (const row of rows) {
        any = true;
        if (row.request_id !== request_id) lines.push(line(chainLine(row)));
        if (row.seq !== null) lines.push(line(eventLine(row)));
        bytes += lines.at(-1)?.length ?? 0;
        request_id = row.request_id;
        seq = row.seq ?? row.chain_seq;
      }
      if (bytes >= room) break;
    }
    if (any) return { ...cursor, request_id, seq };
    return cursor.number === cursor.last ? null : { ...cursor, number: cursor.number + 1, request_id: '', seq: 0, head: false };
  }
}

const line = (value: ExportLine): string => `${JSON.stringify(value)}\n`;
const textOf = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));

const chainLine = (row: Pick<SealedEvent, 'request_id' | 'after_seq' | 'after_hash' | 'chain_seq' | 'chain_hash'>): ChainLine => ({
  kind: 'chain', request_id: row.request_id, after_seq: row.after_seq, after_hash: row.after_hash, seq: row.chain_seq, hash: row.chain_hash,
});

function eventLine(row: SealedEvent): EventLine {
  const event: EventLine = {
    kind: 'event', seq: row.seq, type: row.type, occurred_at: row.occurred_at,
    actor: textOf(row.actor), actor_salt: row.actor_salt, actor_digest: row.actor_digest,
    data: textOf(row.data), data_salt: row.data_salt, data_digest: row.data_digest, hash: row.hash,
  };
  return row.type === 'opened' ? { ...event, payload: textOf(row.payload), payload_salt: row.payload_salt } : event;
}

const encodeCursor = ({ entry, number, last, request_id, seq, head }: Cursor): string => Buffer.from(JSON.stringify([entry, number, last, idToken(request_id), seq, head])).toString('base64url');
const noCursor = () => new UmpireError('bad_request', 'after is not a cursor of an export');

function decodeCursor(text: string): Cursor {
  try {
    const [entry, number, last, token, seq, head] = cursorSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    const request_id = token === '' ? '' : parseIdToken(token);
    if (request_id !== null) return { entry, number, last, request_id, seq, head };
  } catch {
    // Said below.
  }
  throw noCursor();
}
