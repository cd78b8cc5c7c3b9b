import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';

export const CLIENT = 'umpire-console';

/** A whole OpenID provider with its own pages, where people sign in under any name. What they are at Umpire is in `roles`. */
export class Issuer {
  readonly url: string;
  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(): Promise<Issuer> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return new Issuer(server);
  }

  /** Serves the console at an origin, which is known only once it runs. @param roles by person; others have none */
  serve(origin: string, roles: Readonly<Record<string, string[]>>): void {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const provider = new Provider(this.url, {
      clients: [{ client_id: CLIENT, token_endpoint_auth_method: 'none', redirect_uris: [`${origin}/session/oidc/callback`], grant_types: ['authorization_code'], response_types: ['code'] }],
      jwks: { keys: [{ ...(privateKey.export({ format: 'jwk' }) as { kty: 'RSA' }), kid: 'one', use: 'sig', alg: 'RS256' }] },
      cookies: { keys: ['browser-tests'] },
      claims: { openid: ['sub'], profile: ['roles'] },
      conformIdTokenClaims: false,
      pkce: { required: () => true },
      ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
      findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, roles: roles[sub] ?? [] }) }),
    });
    this.server.on('request', provider.callback());
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((done) => this.server.close(() => done()));
  }
}
