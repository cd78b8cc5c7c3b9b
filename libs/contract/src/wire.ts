import type { FieldError } from './errors.ts';
import type { ClockKind, Outcome } from './events.ts';
import type { Rules } from './interaction.ts';
import { encodeUtf8 } from './json/utf8.ts';
import type { Reason } from './reasons.ts';

/**
 * A frame carries JSON and raw bodies in one NATS message without printing the bodies again:
 * `u32 length of header | header JSON | body 0 | body 1 | …`, with the bodies' lengths in `header.lengths`.
 * @param header with a member at least, none of them `lengths`
 */
export function encodeFrame(header: object, bodies: Uint8Array[]): Uint8Array {
  return frameOf([encodeUtf8(JSON.stringify(header).slice(0, -1))], bodies);
}

/** The same for a header that has `items` alone, which are printed already: each the UTF-8 of its JSON. */
export function encodeItemsFrame(items: Uint8Array[], bodies: Uint8Array[]): Uint8Array {
  return frameOf([encodeUtf8('{"items":['), ...items.flatMap((item, index) => (index === 0 ? [item] : [COMMA, item])), encodeUtf8(']')], bodies);
}

const COMMA = encodeUtf8(',');

/** @param head pieces of the header's JSON, an object with members, without its last brace */
function frameOf(head: Uint8Array[], bodies: Uint8Array[]): Uint8Array {
  const header = [...head, encodeUtf8(`,"lengths":[${bodies.map((body) => body.length).join(',')}]}`)];
  const lengthOf = (pieces: Uint8Array[]) => pieces.reduce((sum, piece) => sum + piece.length, 0);
  const frame = new Uint8Array(4 + lengthOf(header) + lengthOf(bodies));
  new DataView(frame.buffer).setUint32(0, lengthOf(header));
  let offset = 4;
  for (const piece of [...header, ...bodies]) {
    frame.set(piece, offset);
    offset += piece.length;
  }
  return frame;
}

/**
 * Reads what `encodeFrame` or `encodeItemsFrame` wrote.
 * @throws Error on a frame that is cut or lies about its lengths.
 */
export function decodeFrame<Header extends object>(frame: Uint8Array): { header: Header; bodies: Uint8Array[] } {
  if (frame.length < 4) throw new Error('frame is shorter than its length field');
  const headEnd = 4 + new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(0);
  if (headEnd > frame.length) throw new Error('frame ends inside its header');
  const header = JSON.parse(new TextDecoder().decode(frame.subarray(4, headEnd))) as (Header & { lengths: unknown }) | null;
  const lengths: unknown = header?.lengths;
  if (header === null || !Array.isArray(lengths) || !lengths.every(isLength)) throw new Error('frame does not say how long its bodies are');
  const bodies: Uint8Array[] = [];
  let offset = headEnd;
  for (const length of lengths) {
    bodies.push(frame.subarray(offset, offset + length));
    offset += length;
  }
  if (offset !== frame.length) throw new Error('frame and its lengths disagree');
  return { header, bodies };
}

const isLength = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0;

/** One validated message of a submit batch. Its body in the frame is the producer's payload as it came (none for a cancel). */
export type SubmitItem =
  | {
      type: 'escalation' | 'interaction';
      namespace: string;
      request_id: string;
      reason: Reason;
      /**
       * `<stream>:<sequence>@<nanoseconds when stored>`: the same submission again is `stored`, not `duplicate`. The time tells
       * messages apart when a lost stream was made again and counts from one. What was posted and has no place in a stream is
       * `http-<an id of its own>:0@<nanoseconds of intake's clock>`.
       */
      submission: string;
      /** Hex of the same-content digest. */
      content_digest: string;
      rules: Rules;
      policy: { id: string; version: number } | null;
      /**
       * What its policy says of earlier escalations of the same task that are pending: both are named on this one, and `supersede`
       * cancels them. Without it nobody looks.
       */
      same_task?: 'keep' | 'supersede';
      task_id: string | null;
      summary: string | null;
      pipeline_name: string | null;
      step_name: string | null;
      /** W3C trace context that the store goes on from; only while something is traced. */
      trace?: string | undefined;
    }
  | { type: 'cancel'; namespace: string; request_id: string; reason: Reason; submission: string; detail: string | null; trace?: string | undefined };

export type SubmitHeader = { items: SubmitItem[] };

export type Verdict = {
  request_id: string;
  status: 'stored' | 'duplicate' | 'conflict' | 'rejected' | 'cancelled' | 'late' | 'tombstoned';
  errors?: FieldError[];
  /** With `late`: what had been decided before the cancel came. */
  outcome?: Outcome;
};
export type SubmitReply = { verdicts: Verdict[] };

/** What a timer asks of the store. */
export type ApplyItem = { namespace: string; request_id: string; kind: ClockKind; ordinal: number; generation: number; trace?: string | undefined };
export type ApplyRequest = { items: ApplyItem[] };
/** `reason` is the escalation's, with `applied`. */
export type ApplyReply = { results: { status: 'applied' | 'stale' | 'retry_at'; retry_at?: string; reason?: Reason }[] };

/** A dead letter. `original` is base64 of the bytes as they came, `digest` the hex SHA-256 of them. */
export type DeadLetter = { id: string; subject: string; errors: FieldError[]; digest: string; original: string };

/** `umpire.store.query.principal`: who stands behind a credential. Keys and sessions by hex SHA-256, a JWT as it came. */
export type PrincipalQuery = { key_digest: string } | { session_digest: string } | { jwt: string };
/** `umpire.store.query.principals`: many at once (at most 100), for sockets that stay open; answers in the order of the questions. */
export type PrincipalsQuery = { credentials: PrincipalQuery[] };
export type PrincipalsReply = { principals: (import('./principal.ts').Principal | null)[] };
export type PrincipalReply = { principal: import('./principal.ts').Principal | null };

/** `umpire.store.query.content`: payload bytes and interaction by id; the reply is a frame with a body for each id found. */
export type ContentQuery = { items: { namespace: string; request_id: string }[] };
export type ContentHeader = { items: ({ request_id: string; found: true; kind: 'escalation' | 'interaction'; interaction: unknown } | { request_id: string; found: false })[] };

/**
 * `umpire.store.query.items`: what people see of escalations and who does, asked like `content`. The reply is a frame with the item's
 * JSON text for each id, in order; what does not fit is left out, and asked for again.
 */
export type ItemsQuery = ContentQuery & { reader?: ContentReader };
export type ItemsHeader = {
  items: (
    | { request_id: string; found: true; status: import('./events.ts').EscalationStatus; seq: number; users: string[]; roles: string[]; excluded: string[] }
    | { request_id: string; found: false }
  )[];
};

/** `umpire.store.query.pending`: a person's inbox. The reply is JSON: how many there are, and the first page as far as it fits. */
export type PendingQuery = { namespace: string; user_id: string; roles: string[]; reader?: ContentReader };

/** Who reads, and from where: what they are shown is written to the read log in their name. `forwarded_for` is what a proxy said. */
export type ContentReader = { user_id: string | null; key_id: string | null; auth: 'api_key' | 'jwt' | 'session'; address: string | null; forwarded_for: string | null; trace_id: string | null };

/** One thing that somebody is shown: what was asked for by an id, or what a list of whatever was asked for showed. */
export type NotedRead = { what: string; request_id: string } | { what: string; asked: Record<string, unknown>; shown: string[]; subject_user?: string };

/** `umpire.store.note`: what another service is about to show, at most 200 reads. Answered once they may be shown; `unavailable` where there is no room. */
export type NoteRequest = { namespace: string; via: 'http' | 'socket'; reads: { reader: ContentReader; read: NotedRead }[] };

/** `umpire.store.query.changes`: escalations changed since a cursor, with their clocks, for the scheduler's reconciliation. */
export type ChangesQuery = { after: string | null; limit: number };
export type ChangesReply = {
  items: { namespace: string; request_id: string; seq: number; clocks: import('./events.ts').Clock[] }[];
  next: string | null;
};

/** `umpire.notify.forget`: a person's channels go; the reply says how many. */
export type ForgetRequest = { namespace: string; user_id: string };
export type ForgetReply = { channels: number };

/** `umpire.store.query.history`: what was recorded of escalations opened in a time, oldest first. `groups` are named to learn their members. */
export type HistoryQuery = { namespace: string; since: string; until: string | null; after: string | null; limit: number; groups: string[] };
/** An answer as it was given; `roles` is what made the person eligible, none where they were named. */
export type HistoryAnswer = { user_id: string; roles: string[]; at: string; response: Record<string, unknown> };
export type HistoryItem = {
  request_id: string;
  reason: Reason;
  kind: 'escalation' | 'interaction';
  opened_at: string;
  status: import('./events.ts').EscalationStatus;
  policy: { id: string; version: number } | null;
  rules: Rules;
  /** Everybody who was asked, those who joined by a raise included. */
  electorate: { users: string[]; roles: string[] };
  excluded: string[];
  level: number;
  answers: HistoryAnswer[];
  outcome: { state: string; verdict: string | null; source: 'human' | 'timeout' | 'cancel'; decided_at: string } | null;
  /** Its body has no bytes: the content was erased. */
  erased: boolean;
};
/** The reply is a frame with the payload of each item. */
export type HistoryHeader = { items: HistoryItem[]; groups: Record<string, string[]>; next: string | null; now: string };

/** `hitl.<ns>.query.outcome`. */
export type OutcomeQuery = { request_id: string };
export type OutcomeReply =
  | { status: 'pending' | 'completed' | 'expired' | 'cancelled'; request_id: string; outcome: (Outcome & { data?: unknown; merged?: unknown }) | null }
  | { status: 'not_found'; request_id: string };
