import { SCHEMA_VERSION } from '@umpire/contract';
import { backoffDelay, Batcher, delay, isDataError, newId, transaction, type Logger, type Sql, type Tx } from '@umpire/runtime';
import { recordAttempts, type AttemptRow } from './delivery.queries.ts';
import { disableBroken, noteHealth, sendableOfNamespaces, type DisabledRow } from './endpoint.queries.ts';
import { wants } from './endpoint.ts';
import { insertMessages } from './message.queries.ts';

/** One attempt's result and what it says about its endpoint. */
export type AttemptResult = AttemptRow & { endpointId: string; ok: boolean; gone: boolean; failingSince: number | null };

export type RecorderOptions = {
  sql: Sql;
  logger: Logger;
  disableAfterHours: number;
  /** Told of an endpoint that was disabled; others may have got a delivery about it. */
  disabled: (row: DisabledRow) => void;
};

/** No webhook waits for another's result to be written, and what a crash loses of it is sent again under the id that its receiver knows. */
const REST_MS = 20;

/** Writes attempts in natural batches, and draws the consequences for endpoints: health, and disabling. */
export class AttemptRecorder {
  private readonly batcher: Batcher<AttemptResult, void>;
  private readonly options: RecorderOptions;
  private readonly abort = new AbortController();

  constructor(options: RecorderOptions) {
    this.options = options;
    this.batcher = new Batcher((results) => this.write(results), { items: 500, size: 2 * 1024 * 1024, lanes: 2, restMs: REST_MS });
  }

  /** Resolves when the result stands in the database, or when this process stops before it could be written. */
  record(result: AttemptResult): Promise<void> {
    return this.batcher.add(result, 500 + result.response.length);
  }

  /** Gives up waiting for a database that is away: leases run out, and others send again. */
  stop(): void {
    this.abort.abort();
  }

  private async write(results: AttemptResult[]): Promise<void[]> {
    for (let failures = 0; !this.abort.signal.aborted; ) {
      try {
        await recordAttempts(this.options.sql, results);
        await this.consequences(results);
        break;
      } catch (error) {
        if (isDataError(error)) return this.bisect(results, error);
        failures += 1;
        const pause = backoffDelay(failures, { baseMs: 50, maxMs: 2_000 });
        this.options.logger.warn({ err: error, results: results.length, retry_in_ms: pause }, 'attempts_not_recorded');
        await delay(pause, this.abort.signal);
      }
    }
    return results.map(() => undefined);
  }

  /** One bad row never sinks its batch. */
  private async bisect(results: AttemptResult[], error: unknown): Promise<void[]> {
    if (results.length === 1) {
      this.options.logger.error({ err: error, delivery_id: results[0]!.deliveryId }, 'attempt_not_recordable');
      return [undefined];
    }
    const half = Math.ceil(results.length / 2);
    return [...(await this.write(results.slice(0, half))), ...(await this.write(results.slice(half)))];
  }

  private async consequences(results: AttemptResult[]): Promise<void> {
    const { sql, disableAfterHours } = this.options;
    const health = new Map<string, { failures: number; worked: boolean }>();
    for (const { endpointId, ok } of results) {
      const known = health.get(endpointId) ?? { failures: 0, worked: false };
      health.set(endpointId, { failures: known.failures + Number(!ok), worked: known.worked || ok });
    }
    const recovered = new Set(results.filter((result) => result.ok && result.failingSince !== null).map((result) => result.endpointId));
    const noted = [...health].flatMap(([id, { failures, worked }]) => (worked ? (recovered.has(id) || failures > 0 ? [{ id, failures: 0 }] : []) : [{ id, failures }]));
    if (noted.length > 0) await noteHealth(sql, noted);
    const gone = new Set(results.filter((result) => result.gone).map((result) => result.endpointId));
    const failing = new Set(results.filter((result) => !result.ok && result.failingSince !== null).map((result) => result.endpointId));
    if (gone.size === 0 && failing.size === 0) return;
    const disabled = await transaction(sql, 10_000, async (tx) => {
      const rows = await disableBroken(tx, [...gone], [...failing], disableAfterHours);
      for (const row of rows) await this.announce(tx, row);
      return rows;
    });
    for (const row of disabled) this.options.disabled(row);
  }

  /** Tells the namespace's other endpoints, as a webhook like any other. */
  private async announce(sql: Tx, row: DisabledRow): Promise<void> {
    const eventId = newId();
    const occurredAt = row.at.toISOString();
    const others = (await sendableOfNamespaces(sql, [row.namespace])).filter((other) => other.kind === 'endpoint' && other.state === 'enabled' && wants(other, 'endpoint_disabled', null));
    const body = { event: 'endpoint_disabled', escalation: null, timestamp: occurredAt, id: eventId, schema_version: SCHEMA_VERSION, namespace: row.namespace, endpoint: { id: row.id, url: row.url, reason: row.reason } };
    const message = { eventId, namespace: row.namespace, event: 'endpoint_disabled', requestId: null, reason: null, seq: null, occurredAt, body: Buffer.from(JSON.stringify(body)) };
    await insertMessages(sql, [message], others.map((other) => ({ id: newId(), eventId, endpointId: other.id, url: null, held: false })), '', 0);
  }
}
