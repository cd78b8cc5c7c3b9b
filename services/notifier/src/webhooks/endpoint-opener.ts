import type { Logger, Sealer } from '@umpire/runtime';
import type { SendableRow } from './endpoint.queries.ts';
import type { Endpoint } from './endpoint.ts';
import { signingKey } from './signature.ts';

/** Whose secret a row's is: endpoints own theirs, callbacks share their namespace's. */
export const secretOwner = (row: { kind: 'endpoint' | 'callback'; id: string; namespace: string }): string => (row.kind === 'callback' ? callbackOwner(row.namespace) : row.id);
export const callbackOwner = (namespace: string): string => `callback:${namespace}`;

/** Turns rows into endpoints: opens what is sealed, once per version. */
export class EndpointOpener {
  private readonly sealer: Sealer;
  private readonly logger: Logger;
  private readonly opened = new Map<string, Endpoint>();

  constructor(sealer: Sealer, logger: Logger) {
    this.sealer = sealer;
    this.logger = logger;
  }

  /** An endpoint whose secret does not open (sealed under a lost key) has none: its attempts fail visibly, the others' go on. */
  open(row: SendableRow): Endpoint {
    const known = this.opened.get(row.id);
    if (known && known.version === row.version) {
      known.failingSince = row.failing_since;
      known.enabled = row.state === 'enabled';
      return known;
    }
    const endpoint = this.unseal(row);
    if (row.state === 'deleted') this.opened.delete(row.id);
    else this.opened.set(row.id, endpoint);
    return endpoint;
  }

  private unseal(row: SendableRow): Endpoint {
    return {
      id: row.id,
      namespace: row.namespace,
      kind: row.kind,
      url: row.url,
      events: row.events,
      reasons: row.reasons,
      payload: row.payload,
      maxConcurrency: row.max_concurrency,
      ratePerSecond: row.rate_per_second,
      retrySeconds: row.retry_seconds,
      ...this.sealedParts(row),
      enabled: row.state === 'enabled',
      failingSince: row.failing_since,
      version: row.version,
    };
  }

  private sealedParts(row: SendableRow): Pick<Endpoint, 'keys' | 'headers'> {
    const owner = secretOwner(row);
    try {
      const previous = row.previous_secrets.map(({ sealed, until }) => ({ key: signingKey(this.sealer.open(owner, Buffer.from(sealed, 'base64'))), until: Date.parse(until) }));
      const headers = row.headers === null ? {} : (JSON.parse(this.sealer.open(row.id, row.headers).toString()) as Record<string, string>);
      return { keys: [{ key: signingKey(this.sealer.open(owner, row.secret)), until: null }, ...previous], headers };
    } catch (error) {
      this.logger.error({ err: error, endpoint_id: row.id, namespace: row.namespace }, 'secret_not_opened');
      return { keys: [], headers: {} };
    }
  }
}
