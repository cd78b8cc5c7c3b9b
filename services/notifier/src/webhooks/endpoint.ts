import type { KeyObject } from 'node:crypto';

/** An endpoint as the notifier works with it: opened secrets, effective limits. Held in memory only. */
export type Endpoint = {
  id: string;
  namespace: string;
  kind: 'endpoint' | 'callback';
  url: string;
  events: readonly string[];
  reasons: readonly string[];
  payload: 'full' | 'thin';
  headers: Record<string, string>;
  maxConcurrency: number | null;
  ratePerSecond: number | null;
  retrySeconds: readonly number[] | null;
  /** The newest first, then those that still sign, each with its end (ms since the epoch). */
  keys: { key: KeyObject; until: number | null }[];
  enabled: boolean;
  /** ms since the epoch; null while the last attempt that was made succeeded. */
  failingSince: number | null;
  version: number;
};

/** What every endpoint is asked: whether it wants this. Empty filters want everything; events without a reason pass any. */
export function wants(endpoint: Pick<Endpoint, 'events' | 'reasons'>, event: string, reason: string | null): boolean {
  return (endpoint.events.length === 0 || endpoint.events.includes(event)) && (reason === null || endpoint.reasons.length === 0 || endpoint.reasons.includes(reason));
}

/** Headers that are ours, hop-by-hop, or decide where a request goes: not for endpoints to set. */
export const RESERVED_HEADERS: ReadonlySet<string> = new Set([
  'host', 'connection', 'content-length', 'content-type', 'content-encoding', 'transfer-encoding', 'keep-alive', 'upgrade', 'te', 'trailer',
  'expect', 'proxy-authorization', 'proxy-connection', 'cookie', 'webhook-id', 'webhook-timestamp', 'webhook-signature', 'x-event-type',
]);

/** @returns whether an allow-list (`example.com`, `*.example.com`) names the host. */
export function hostAllowed(host: string, allowed: readonly string[]): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  return allowed.some((entry) => (entry.startsWith('*.') ? name.endsWith(entry.slice(1)) && name.length > entry.length - 1 : name === entry));
}
