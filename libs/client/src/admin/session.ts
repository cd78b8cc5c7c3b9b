import type { HttpTransport } from '../http/transport.ts';
import type { CallOptions } from '../retry.ts';

/** Who a credential stands for. `expires_at` of a browser's session only. */
export type WhoAmI = {
  namespace: string;
  user_id: string | null;
  roles: string[];
  auth: 'api_key' | 'jwt' | 'session';
  key_id: string;
  /** Who has delegated to this person for now. */
  acts_for: string[];
  expires_at?: string;
};

/** Signing in and out of a browser: the session's cookie is HttpOnly, so the page never holds the key. */
export class Session {
  private readonly transport: HttpTransport;

  constructor(transport: HttpTransport) {
    this.transport = transport;
  }

  /** @param key an API key or token; without one the client's own */
  signIn(key?: string, call?: CallOptions): Promise<WhoAmI> {
    return this.transport.json({ method: 'POST', path: '/session', body: key === undefined ? {} : { key }, repeat: 'always' }, call);
  }

  who(call?: CallOptions): Promise<WhoAmI> {
    return this.transport.json({ method: 'GET', path: '/session', repeat: 'always' }, call);
  }

  /** What an issuer at which people can sign in is called here: the browser goes to `/session/oidc/start?to=<page>`. Null where there is none. */
  issuer(call?: CallOptions): Promise<{ name: string | null }> {
    return this.transport.json({ method: 'GET', path: '/session/oidc', repeat: 'always' }, call);
  }

  async signOut(call?: CallOptions): Promise<void> {
    await this.transport.send({ method: 'DELETE', path: '/session', repeat: 'always' }, call);
  }
}
