import { connect, credsAuthenticator, type ConnectionOptions, type NatsConnection } from '@nats-io/transport-node';
import { readFileSync } from 'node:fs';

/** Where a NATS server is and how one signs in there. Files are PEM, but for `creds`. */
export type NatsLogin = {
  url: string;
  user?: string | undefined;
  password?: string | undefined;
  creds?: string | undefined;
  tlsCa?: string | undefined;
  tlsCert?: string | undefined;
  tlsKey?: string | undefined;
};

/** Connects with what the login gives; everything else is `more`'s. */
export function connectNats(login: NatsLogin, more: ConnectionOptions): Promise<NatsConnection> {
  const tls = { ...(login.tlsCa ? { caFile: login.tlsCa } : {}), ...(login.tlsCert ? { certFile: login.tlsCert } : {}), ...(login.tlsKey ? { keyFile: login.tlsKey } : {}) };
  const asked = Object.keys(tls).length > 0 || login.url.startsWith('tls://');
  return connect({
    servers: login.url.split(',').map((server) => server.trim()),
    ...(login.user !== undefined ? { user: login.user } : {}),
    ...(login.password !== undefined ? { pass: login.password } : {}),
    // Read at every connect: credentials are rotated by putting another file in place.
    ...(login.creds !== undefined ? { authenticator: credsAuthenticator(() => readFileSync(login.creds!)) } : {}),
    ...(asked ? { tls } : {}),
    // Otherwise each request makes two errors with their stacks, in case it fails: 3 % of intake's work. What asked stands in our own error.
    noAsyncTraces: true,
    ...more,
  });
}
