import { decodeUtf8, isNamespace, member, rawText, readJson, requestIdSchema, SCHEMA_VERSION, stringMember, type JsonNode } from '@umpire/contract';
import { objectBefore } from '@umpire/runtime';

/** An event of `HITL_EVENTS` with the texts of what webhooks hand on, cut out of the message and never printed again. */
export type IncomingEvent = {
  id: string;
  type: string;
  namespace: string;
  requestId: string;
  seq: number;
  reason: string;
  occurredAt: string;
  schemaVersion: string;
  /** Of `opened` only; the interaction with every gap filled: what it is decided by. */
  escalation: string | null;
  interaction: string | null;
  outcome: string | null;
  /** What its deliveries go on from, while something is traced. */
  trace?: string | undefined;
};

/** What an escalation's webhooks carry beside the event itself: texts as the producer wrote them. */
export type Content = { escalation: string; interaction: string };
export const NO_CONTENT: Content = { escalation: 'null', interaction: 'null' };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** A producer's payload may be nested as deeply as intake lets it; the event adds two levels. */
const MAX_DEPTH = 512;

/**
 * Reads an event's message.
 * @throws Error when it is not one: such a message is rejected, never retried.
 */
export function readEvent(bytes: Uint8Array): IncomingEvent {
  const text = decodeUtf8(bytes);
  const root = readJson(text, { maxDepth: MAX_DEPTH });
  const data = member(root, 'data');
  return checkedEvent((name) => stringMember(root, name), Number(numberText(member(root, 'seq'))), {
    escalation: rawMember(data, 'escalation', text),
    interaction: rawMember(data, 'interaction', text) ?? rawMember(data, 'rules', text),
    outcome: rawMember(data, 'outcome', text),
  });
}

/**
 * The same without its content, for where nobody wants that: what stands before `data`, which may hold a producer's whole payload, is all
 * that is read. Where that is not all of an event's head, the message is read whole.
 */
export function readEventHead(bytes: Uint8Array): IncomingEvent {
  const head = objectBefore(bytes, 'data');
  if (head === null || !HEAD.every((name) => name in head)) return readEvent(bytes);
  const text = (name: string) => (typeof head[name] === 'string' ? head[name] : undefined);
  return checkedEvent(text, typeof head['seq'] === 'number' ? head['seq'] : Number.NaN, { escalation: null, interaction: null, outcome: null });
}

const HEAD = ['id', 'schema_version', 'type', 'namespace', 'request_id', 'seq', 'reason', 'occurred_at'];

function checkedEvent(text: (name: string) => string | undefined, seq: number, content: Pick<IncomingEvent, 'escalation' | 'interaction' | 'outcome'>): IncomingEvent {
  const required = (name: string) => {
    const value = text(name);
    if (value === undefined || value === '') throw new Error(`not an escalation event: no ${name}`);
    return value;
  };
  const event = {
    id: required('id'), type: required('type'), namespace: required('namespace'), requestId: required('request_id'), seq, reason: required('reason'),
    occurredAt: required('occurred_at'), schemaVersion: text('schema_version') ?? SCHEMA_VERSION, ...content,
  };
  // All that the store or the database would refuse: it must not hold up the batch that it came in.
  if (!UUID.test(event.id) || !isCount(event.seq) || Number.isNaN(Date.parse(event.occurredAt))) throw new Error('not an escalation event');
  // A later version may know more reasons, and types.
  if (!isNamespace(event.namespace) || !WORD.test(event.reason) || !WORD.test(event.type) || !requestIdSchema.safeParse(event.requestId).success) throw new Error('not an escalation event of ours');
  return event;
}

const WORD = /^[a-z_]{1,64}$/;
const isCount = (value: number) => Number.isInteger(value) && value >= 1 && value < 2 ** 31;

/**
 * The webhook's body, ready to send. The contract's three members come first; `escalation`, `interaction` and `outcome` are
 * spliced in as texts.
 */
export function webhookBody(webhookEvent: string, event: IncomingEvent, content: Content): Buffer {
  const tail = JSON.stringify({
    seq: event.seq,
    id: event.id,
    schema_version: event.schemaVersion,
    namespace: event.namespace,
    request_id: event.requestId,
    reason: event.reason,
  });
  const outcome = event.outcome === null ? '' : `,"outcome":${event.outcome}`;
  return Buffer.from(
    `{"event":${JSON.stringify(webhookEvent)},"escalation":${content.escalation},"timestamp":${JSON.stringify(event.occurredAt)},"interaction":${content.interaction},${tail.slice(1, -1)}${outcome}}`,
  );
}

const THICK = new Set(['escalation', 'interaction', 'outcome']);

/** The same body without content, for endpoints with `payload: thin`: they learn that something happened, and ask. */
export function thinBody(body: Uint8Array): Buffer {
  const text = decodeUtf8(body);
  const root = readJson(text, { maxDepth: MAX_DEPTH });
  if (root.kind !== 'object') return Buffer.from(body);
  const kept = root.members.filter(({ name }) => !THICK.has(name)).map(({ start, value }) => text.slice(start, value.end));
  return Buffer.from(`{${kept.join(',')}}`);
}

/** @returns an interaction's own callback address, or null. */
export function callbackUrl(interaction: string): string | null {
  if (!interaction.includes('callback_url')) return null;
  return stringMember(member(readJson(interaction, { maxDepth: MAX_DEPTH }), 'resume'), 'callback_url') ?? null;
}

const numberText = (node: JsonNode | undefined): string => (node?.kind === 'number' ? node.text : 'NaN');

function rawMember(node: JsonNode | undefined, name: string, text: string): string | null {
  const value = member(node, name);
  return value === undefined ? null : rawText(value, text);
}
