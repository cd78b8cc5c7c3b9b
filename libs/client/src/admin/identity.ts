import type { Page, PageOptions } from '../http/pages.ts';
import { namePath } from '../http/path.ts';
import type { HttpTransport } from '../http/transport.ts';
import type { CallOptions } from '../retry.ts';

export type ApiKey = {
  id: string;
  name: string;
  roles: string[];
  user_id: string | null;
  created_at: string;
  created_by: string | null;
  expires_at: string | null;
  revoked_at: string | null;
  revoked_by: string | null;
};
export type NewApiKey = { name: string; roles: string[]; user_id?: string; expires_at?: string; expires_in_seconds?: number };
export type Group = { name: string; description: string | null; members: string[]; created_at: string };
export type GroupSummary = Omit<Group, 'members'> & { members: number };
/** While it is in force, `to` sees and decides what `from` may. */
export type Delegation = {
  id: string;
  from: string;
  to: string;
  starts_at: string;
  until: string;
  detail: string | null;
  in_force: boolean;
  created_at: string;
  created_by: string;
  revoked_at: string | null;
  revoked_by: string | null;
};
export type NewDelegation = { to: string; from?: string; starts_at?: string; until?: string; seconds?: number; detail?: string };

/** Keys, groups and standing delegations of the caller's namespace. */
export class Identity {
  readonly keys: Keys;
  readonly groups: Groups;
  readonly delegations: Delegations;

  constructor(transport: HttpTransport) {
    this.keys = new Keys(transport);
    this.groups = new Groups(transport);
    this.delegations = new Delegations(transport);
  }
}

export class Keys {
  private readonly transport: HttpTransport;

  constructor(transport: HttpTransport) {
    this.transport = transport;
  }

  /** The only time that the key itself is told; so it is never repeated after a lost answer. */
  create(key: NewApiKey, call?: CallOptions): Promise<ApiKey & { key: string; namespace: string }> {
    return this.transport.json({ method: 'POST', path: '/identity/keys', body: key, repeat: 'refused' }, call);
  }

  list(options: PageOptions & { user_id?: string; active?: boolean } = {}, call?: CallOptions): Promise<Page<ApiKey>> {
    return this.transport.json({ method: 'GET', path: '/identity/keys', query: options, repeat: 'always' }, call);
  }

  get(id: string, call?: CallOptions): Promise<ApiKey> {
    return this.transport.json({ method: 'GET', path: `/identity/keys/${namePath(id)}`, repeat: 'always' }, call);
  }

  revoke(id: string, call?: CallOptions): Promise<ApiKey> {
    return this.transport.json({ method: 'DELETE', path: `/identity/keys/${namePath(id)}`, repeat: 'always' }, call);
  }
}

export class Groups {
  private readonly transport: HttpTransport;

  constructor(transport: HttpTransport) {
    this.transport = transport;
  }

  /** @throws UmpireError `conflict` if there is one of that name; `put` does not mind */
  create(group: { name: string; description?: string; members?: string[] }, call?: CallOptions): Promise<Group> {
    return this.transport.json({ method: 'POST', path: '/identity/groups', body: group, repeat: 'refused' }, call);
  }

  list(options: PageOptions = {}, call?: CallOptions): Promise<Page<GroupSummary>> {
    return this.transport.json({ method: 'GET', path: '/identity/groups', query: options, repeat: 'always' }, call);
  }

  get(name: string, call?: CallOptions): Promise<Group> {
    return this.transport.json({ method: 'GET', path: `/identity/groups/${namePath(name)}`, repeat: 'always' }, call);
  }

  put(name: string, group: { description?: string | null; members?: string[] }, call?: CallOptions): Promise<Group> {
    return this.transport.json({ method: 'PUT', path: `/identity/groups/${namePath(name)}`, body: group, repeat: 'always' }, call);
  }

  async remove(name: string, call?: CallOptions): Promise<void> {
    await this.transport.send({ method: 'DELETE', path: `/identity/groups/${namePath(name)}`, repeat: 'refused' }, call);
  }

  addMember(name: string, userId: string, call?: CallOptions): Promise<Group> {
    return this.transport.json({ method: 'PUT', path: `/identity/groups/${namePath(name)}/members/${namePath(userId)}`, repeat: 'always' }, call);
  }

  removeMember(name: string, userId: string, call?: CallOptions): Promise<Group> {
    return this.transport.json({ method: 'DELETE', path: `/identity/groups/${namePath(name)}/members/${namePath(userId)}`, repeat: 'always' }, call);
  }
}

export class Delegations {
  private readonly transport: HttpTransport;

  constructor(transport: HttpTransport) {
    this.transport = transport;
  }

  create(delegation: NewDelegation, call?: CallOptions): Promise<Delegation> {
    return this.transport.json({ method: 'POST', path: '/identity/delegations', body: delegation, repeat: 'refused' }, call);
  }

  list(options: PageOptions & { user_id?: string; in_force?: boolean } = {}, call?: CallOptions): Promise<Page<Delegation>> {
    return this.transport.json({ method: 'GET', path: '/identity/delegations', query: options, repeat: 'always' }, call);
  }

  get(id: string, call?: CallOptions): Promise<Delegation> {
    return this.transport.json({ method: 'GET', path: `/identity/delegations/${namePath(id)}`, repeat: 'always' }, call);
  }

  revoke(id: string, call?: CallOptions): Promise<Delegation> {
    return this.transport.json({ method: 'DELETE', path: `/identity/delegations/${namePath(id)}`, repeat: 'always' }, call);
  }
}
