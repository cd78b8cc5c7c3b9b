/**
 * What a client may take its time with, ms: its headers, the whole request, and a connection on which nothing moves (longer than the
 * longest wait for an outcome). Looked at every few seconds. Without these a thousand slow connections hold a server for ever.
 */
export const TIMEOUTS = { requestTimeout: 30_000, connectionTimeout: 90_000, http: { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 2_000 } } as const;
