import { encodeFrame, encodeUtf8, idToken, LIMITS, namespaceOfSubject, parseIdToken, requestIdSchema, UmpireError, type ChangesReply, type ContentHeader, type ItemsHeader, type PrincipalReply, type PrincipalsReply } from '@umpire/contract';
import { withDeadline, type Bus, type Sql } from '@umpire/runtime';
import { z } from 'zod';
import { PRODUCER, requestOf } from './on-submit.responder.ts';
import { JsonPage } from './json-page.ts';
import type { ReadLog } from './read-log.ts';
import type { Reads } from './read.service.ts';
import { contentReader } from './reader.ts';
import { renderItem } from './rendering.ts';
import { findChanges, isFutureXid } from './read.queries.ts';
import type { StoreAuthenticator } from './store-authenticator.ts';

const READ_MS = 5_000;
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const principalSchema = z.union([z.object({ key_digest: digest }), z.object({ session_digest: digest }), z.object({ jwt: z.string().max(8_192) })]);
const principalsSchema = z.object({ credentials: z.array(principalSchema).max(100) });
const key = z.object({ namespace: z.string().max(40), request_id: requestIdSchema });
const contentSchema = z.object({ items: z.array(key).max(200) });
const changesSchema = z.object({ after: z.string().max(4_096).nullable(), limit: z.int().min(1).max(1_000) });
const itemsSchema = contentSchema.extend({ reader: contentReader.optional() });
const pendingSchema = z.object({ namespace: z.string().max(40), user_id: z.string().max(256), roles: z.array(z.string()).max(50), reader: contentReader.optional() });
const outcomeSchema = z.object({ request_id: requestIdSchema });
const cursorSchema = z.tuple([z.string().regex(/^\d{1,20}$/), z.string(), z.string()]);

export type QueryParts = { bus: Bus; sql: Sql; reads: Reads; authenticator: StoreAuthenticator; log: ReadLog };

/** The `umpire.store.query.*` and `hitl.<ns>.query.*` requests. */
export function onQueries({ bus, sql, reads, authenticator, log }: QueryParts): (() => Promise<void>)[] {
  return [
    bus.respond(requestOf('umpire.store.query.principal'), async (data) => {
      const principal = await authenticator.answer(parse(principalSchema, data));
      return JSON.stringify({ principal } satisfies PrincipalReply);
    }),
    bus.respond(requestOf('umpire.store.query.principals'), async (data) => {
      const principals = await authenticator.answerAll(parse(principalsSchema, data).credentials);
      return JSON.stringify({ principals } satisfies PrincipalsReply);
    }),
    bus.respond(requestOf('umpire.store.query.content'), (data) => content(reads, parse(contentSchema, data))),
    bus.respond(requestOf('umpire.store.query.items'), (data) => itemsOf(reads, log, parse(itemsSchema, data))),
    bus.respond(requestOf('umpire.store.query.changes'), (data) => changes(sql, parse(changesSchema, data))),
    bus.respond(requestOf('umpire.store.query.pending'), (data) => pending(reads, log, parse(pendingSchema, data))),
    bus.respond(requestOf('hitl.*.query.outcome'), (data, subject) => outcome(reads, log, namespaceOfSubject(subject)!, parse(outcomeSchema, data).request_id)),
  ];
}

function parse<T>(schema: z.ZodType<T>, data: Uint8Array): T {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(data));
  } catch (error) {
    throw new UmpireError('malformed_json', `the request is not JSON: ${(error as Error).message}`);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new UmpireError('bad_request', z.prettifyError(parsed.error));
  return parsed.data;
}

/** Payload bytes as they came. What does not fit into one reply is left out; the asker asks again for the rest. */
async function content(reads: Reads, { items }: z.infer<typeof contentSchema>): Promise<Uint8Array> {
  const documents = new Map((await reads.documents(items)).map((document) => [`${document.namespace}/${document.request_id}`, document]));
  const header: ContentHeader = { items: [] };
  const bodies: Uint8Array[] = [];
  let bytes = 0;
  for (const item of items) {
    const document = documents.get(`${item.namespace}/${item.request_id}`);
    if (typeof document?.body !== 'string') {
      header.items.push({ request_id: item.request_id, found: false });
      bodies.push(new Uint8Array());
      continue;
    }
    const body = encodeUtf8(document.body);
    if (bytes > 0 && bytes + body.length > LIMITS.batch) break;
    bytes += body.length;
    header.items.push({ request_id: item.request_id, found: true, kind: document.state.kind, interaction: document.state.rules });
    bodies.push(body);
  }
  return encodeFrame(header, bodies);
}

/** What people see, and who: those of the electorate and to whom one of them delegated here. Cut like `content`. */
async function itemsOf(reads: Reads, log: ReadLog, { items, reader: asker }: z.infer<typeof itemsSchema>): Promise<Uint8Array> {
  const documents = new Map((await reads.documents(items)).map((document) => [`${document.namespace}/${document.request_id}`, document]));
  const header: ItemsHeader = { items: [] };
  const bodies: Uint8Array[] = [];
  let bytes = 0;
  for (const item of items) {
    const document = documents.get(`${item.namespace}/${item.request_id}`);
    const text = document ? encodeUtf8(renderItem(document)) : new Uint8Array();
    if (bytes > 0 && bytes + text.length > LIMITS.batch) break;
    bytes += text.length;
    bodies.push(text);
    if (!document) {
      header.items.push({ request_id: item.request_id, found: false });
      continue;
    }
    const { status, seq, electorate, delegations, excluded } = document.state;
    const users = [...new Set([...electorate.users, ...delegations.filter((one) => !one.ended).map((one) => one.to)])];
    header.items.push({ request_id: item.request_id, found: true, status, seq, users, roles: electorate.roles, excluded });
    if (asker) await log.note(item.namespace, asker, 'socket', { what: 'item', request_id: item.request_id });
  }
  return encodeFrame(header, bodies);
}

async function changes(sql: Sql, query: z.infer<typeof changesSchema>): Promise<string> {
  const cursor = query.after === null ? null : cursorSchema.parse(JSON.parse(query.after));
  const restart = cursor !== null && (await withDeadline(isFutureXid(sql, cursor[0]), READ_MS, 'cursor check'));
  const requestId = cursor === null ? null : parseIdToken(cursor[2]);
  if (cursor !== null && requestId === null) throw new UmpireError('bad_request', 'after is not a cursor of this query');
  const after = cursor === null || restart ? null : { xid: cursor[0], namespace: cursor[1], request_id: requestId! };
  const rows = await withDeadline(findChanges(sql, after, query.limit), READ_MS, 'changes');
  const items: ChangesReply['items'] = [];
  let bytes = 0;
  for (const { clocks, namespace, request_id, seq } of rows) {
    const item = { namespace, request_id, seq, clocks: clocks.map((clock) => ({ ...clock, due_at: new Date(clock.due_at).toISOString() })) };
    bytes += Buffer.byteLength(JSON.stringify(item)) + 1;
    if (items.length > 0 && bytes > LIMITS.batch) break;
    items.push(item);
  }
  const last = rows[items.length - 1];
  // The id stands in the cursor as its token: a few escaped characters would otherwise outgrow any limit on cursors.
  return JSON.stringify({ items, next: last ? JSON.stringify([last.xid, last.namespace, idToken(last.request_id)]) : restart ? null : query.after } satisfies ChangesReply);
}

/** The first page of a person's inbox and how many there are, cut to fit one message. */
async function pending(reads: Reads, log: ReadLog, query: z.infer<typeof pendingSchema>): Promise<Uint8Array> {
  const places = await reads.placesOf(query.namespace, query);
  const [{ page, ids }, total] = await Promise.all([reads.inbox(query.namespace, query.user_id, places, null, 200), reads.inboxTotal(query.namespace, query.user_id, places)]);
  let bytes = 0;
  const items: Uint8Array[] = [];
  for (const item of page.items) {
    bytes += item.length + 1;
    if (items.length > 0 && bytes > LIMITS.batch) break;
    items.push(item);
  }
  const { reader: asker, ...asked } = query;
  if (asker) await log.note(query.namespace, asker, 'socket', { what: 'pending', asked, shown: ids.slice(0, items.length), subject_user: query.user_id });
  return (items.length === page.items.length ? page : new JsonPage(items)).within(`{"total":${total},"items":[`, ']}');
}

/** What `status` tells over HTTP, for a namespace's producers. */
async function outcome(reads: Reads, log: ReadLog, namespace: string, requestId: string): Promise<Uint8Array> {
  const found = await reads.status({ namespace, request_id: requestId }, 0, new AbortController().signal).catch((error: unknown) => {
    if (error instanceof UmpireError && error.code === 'not_found') return null;
    throw error;
  });
  if (!found) return encodeUtf8(JSON.stringify({ status: 'not_found', request_id: requestId }));
  await log.note(namespace, PRODUCER, 'nats', { what: 'outcome', request_id: requestId });
  return encodeUtf8(`{"request_id":${JSON.stringify(requestId)},${found.state.outcome ? '' : '"outcome":null,'}${found.text.slice(1)}`);
}
