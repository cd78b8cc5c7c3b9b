import { SCHEMA_VERSION, UmpireError } from '@umpire/contract';
import { newId, type Sealer, type Sql } from '@umpire/runtime';
import type { ClaimLoop } from './claim.loop.ts';
import { recoverStep } from './delivery-log.queries.ts';
import { checkEndpointUrl } from './endpoint-url.ts';
import { callbackOwner } from './endpoint-opener.ts';
import {
  deleteEndpoint, insertEndpoint, listEndpoints, putCallbacks, rotateCallbackSecret, rotateSecret, selectCallbacks, selectEndpoint, setEnabled, updateEndpoint,
  type CallbackRow, type EndpointChange, type EndpointRow, type StoredSecret,
} from './endpoint.queries.ts';
import type { Callbacks, CreateEndpoint, Recover, UpdateEndpoint } from './endpoint.schemas.ts';
import { insertMessages } from './message.queries.ts';
import type { Reachability } from './pinned-connector.ts';
import { newSecret, parseSecret, secretText } from './signature.ts';
import type { UpkeepLoop } from './upkeep.loop.ts';

const RECOVER_STEP = 1_000;
const RECOVER_STEPS = 100;

export type EndpointServiceParts = { sql: Sql; sealer: Sealer; reachability: Reachability; claims: ClaimLoop; upkeep: UpkeepLoop; rotationHours: number };

/** What administrators do with endpoints. Everything is within one namespace; what lies in another is not found. */
export class EndpointService {
  private readonly parts: EndpointServiceParts;

  constructor(parts: EndpointServiceParts) {
    this.parts = parts;
  }

  /** @returns the endpoint with its secret, shown this once */
  async create(namespace: string, given: CreateEndpoint) {
    const { sql, sealer } = this.parts;
    const url = await checkEndpointUrl(given.url, this.parts.reachability);
    const id = newId();
    const secret = given.secret === undefined ? newSecret() : parseSecret(given.secret)!;
    const row = await insertEndpoint(sql, {
      id, namespace, url, description: given.description, events: given.events, reasons: given.reasons, payload: given.payload, max_concurrency: given.max_concurrency,
      rate_per_second: given.rate_per_second, retry_seconds: given.retry_schedule_seconds, ...this.sealedHeaders(id, given.headers), secret: sealer.seal(id, secret),
    });
    return { ...showEndpoint(row), secret: secretText(secret) };
  }

  async list(namespace: string, kind: 'endpoint' | 'callback', limit: number, after: string | null) {
    const rows = await listEndpoints(this.parts.sql, namespace, kind, after, limit + 1);
    return { items: rows.slice(0, limit).map(showEndpoint), next: rows.length > limit ? rows[limit - 1]!.id : null };
  }

  async get(namespace: string, id: string) {
    return showEndpoint(found(await selectEndpoint(this.parts.sql, namespace, id)));
  }

  async update(namespace: string, id: string, given: UpdateEndpoint) {
    const { url, headers, retry_schedule_seconds: waits, ...plain } = given;
    const change: EndpointChange = {
      ...plain,
      ...(url === undefined ? {} : { url: await checkEndpointUrl(url, this.parts.reachability) }),
      ...(headers === undefined ? {} : this.sealedHeaders(id, headers)),
      ...(waits === undefined ? {} : { retry_seconds: waits }),
    };
    const row = found(await updateEndpoint(this.parts.sql, namespace, id, change));
    this.parts.claims.changed();
    return showEndpoint(row);
  }

  async setEnabled(namespace: string, id: string, enabled: boolean) {
    const row = found(await setEnabled(this.parts.sql, namespace, id, enabled));
    this.parts.claims.changed();
    if (!enabled) this.parts.upkeep.wake();
    return showEndpoint(row);
  }

  async delete(namespace: string, id: string): Promise<void> {
    if (!(await deleteEndpoint(this.parts.sql, namespace, id))) throw notFound();
    this.parts.claims.changed();
    this.parts.upkeep.wake();
  }

  /** @returns the endpoint with its new secret, shown this once; the old one signs along for a while */
  async rotate(namespace: string, id: string) {
    const secret = newSecret();
    const row = found(await rotateSecret(this.parts.sql, namespace, id, this.parts.sealer.seal(id, secret), this.parts.rotationHours));
    this.parts.claims.changed();
    return { ...showEndpoint(row), secret: secretText(secret) };
  }

  /** Sends a `test` event to this endpoint, by the way that all events go. */
  async test(namespace: string, id: string) {
    const { sql } = this.parts;
    const endpoint = found(await selectEndpoint(sql, namespace, id));
    refuseDisabled(endpoint);
    const eventId = newId();
    const [clock] = await sql<{ now: Date }[]>`select clock_timestamp() as now`;
    const occurredAt = clock!.now.toISOString();
    const body = { event: 'test', escalation: sampleEscalation(occurredAt), timestamp: occurredAt, interaction: null, seq: 1, id: eventId, schema_version: SCHEMA_VERSION, namespace };
    const delivery = { id: newId(), eventId, endpointId: id, url: null, held: false };
    await insertMessages(sql, [{ eventId, namespace, event: 'test', requestId: null, reason: null, seq: null, occurredAt, body: Buffer.from(JSON.stringify(body)) }], [delivery], '', 0);
    this.parts.claims.changed();
    return { event_id: eventId, delivery_id: delivery.id };
  }

  /** Makes due again what failed in the range, and adds what the endpoint never had. Safe to call again. */
  async recover(namespace: string, id: string, { since, until }: Recover) {
    const { sql } = this.parts;
    refuseDisabled(found(await selectEndpoint(sql, namespace, id)));
    const total = { retried: 0, added: 0 };
    let after: string | null = null;
    let steps = 0;
    for (; steps < RECOVER_STEPS; steps += 1) {
      const step = await recoverStep(sql, id, { since, until: until ?? null, after, limit: RECOVER_STEP });
      total.retried += step.retried;
      total.added += step.added;
      after = step.last;
      if (after === null) break;
    }
    this.parts.claims.changed();
    return { ...total, complete: steps < RECOVER_STEPS };
  }

  async callbacks(namespace: string) {
    return showCallbacks(namespace, await selectCallbacks(this.parts.sql, namespace));
  }

  /** Sets which hosts a `callback_url` may name. The first time it makes the namespace's callback secret and shows it. */
  async putCallbacks(namespace: string, given: Callbacks) {
    const secret = newSecret();
    const row = await putCallbacks(this.parts.sql, namespace, given.allowed_hosts, this.parts.sealer.seal(callbackOwner(namespace), secret));
    return { ...showCallbacks(namespace, row), ...(row.created ? { secret: secretText(secret) } : {}) };
  }

  async rotateCallbacks(namespace: string) {
    const secret = newSecret();
    const row = await rotateCallbackSecret(this.parts.sql, namespace, this.parts.sealer.seal(callbackOwner(namespace), secret), this.parts.rotationHours);
    if (!row) throw new UmpireError('not_found', 'this namespace has no callback settings yet');
    this.parts.claims.changed();
    return { ...showCallbacks(namespace, row), secret: secretText(secret) };
  }

  private sealedHeaders(id: string, headers: Record<string, string>): { headers: Buffer | null; header_names: string[] } {
    const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    const names = Object.keys(lower).sort();
    return { headers: names.length === 0 ? null : this.parts.sealer.seal(id, Buffer.from(JSON.stringify(lower))), header_names: names };
  }
}

const notFound = () => new UmpireError('not_found', 'no such webhook endpoint');

function found(row: EndpointRow | null): EndpointRow {
  if (!row) throw notFound();
  return row;
}

function refuseDisabled(row: EndpointRow): void {
  if (row.state !== 'enabled') throw new UmpireError('conflict', 'the endpoint is disabled: enable it first');
}

/** Header values and secrets never leave again; names do. */
function showEndpoint(row: EndpointRow) {
  return {
    id: row.id,
    namespace: row.namespace,
    kind: row.kind,
    url: row.url,
    description: row.description,
    events: row.events,
    reasons: row.reasons,
    payload: row.payload,
    header_names: row.header_names,
    max_concurrency: row.max_concurrency,
    rate_per_second: row.rate_per_second,
    retry_schedule_seconds: row.retry_seconds,
    state: row.state,
    disabled_reason: row.disabled_reason,
    disabled_at: iso(row.disabled_at),
    failing_since: iso(row.failing_since),
    old_secrets_until: secretEnds(row.previous_secrets),
    created_at: iso(row.created_at),
    updated_at: iso(row.updated_at),
  };
}

function showCallbacks(namespace: string, row: CallbackRow | null) {
  return { namespace, allowed_hosts: row?.allowed_hosts ?? [], old_secrets_until: secretEnds(row?.previous_secrets ?? []), updated_at: iso(row?.updated_at ?? null) };
}

const iso = (date: Date | null): string | null => date?.toISOString() ?? null;
const secretEnds = (previous: StoredSecret[]): string[] => previous.map(({ until }) => new Date(until).toISOString());

/** A small HITLRequest of our own, so that a receiver's test runs its real code. */
const sampleEscalation = (at: string) => ({
  request_id: 'hitl-webhook-test', task_id: 'webhook-test', alignment_state: 'hard_disagreement', alignment_score: 0.25, escalation_reason: 'hard_disagreement',
  summary: 'A test of this webhook endpoint: nobody has to decide anything',
  agent_decisions: [
    { agent_name: 'first', role_type: 'advocate', decision_value: true, confidence: 0.9, rationale: 'a test', evidence: [], processing_time_ms: 0, metadata: {} },
    { agent_name: 'second', role_type: 'skeptic', decision_value: false, confidence: 0.8, rationale: 'a test', evidence: [], processing_time_ms: 0, metadata: {} },
  ],
  dissenting_agents: ['second'], created_at: at, metadata: { test: true },
});
