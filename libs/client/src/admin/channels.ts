import type { Page } from '../http/pages.ts';
import { namePath } from '../http/path.ts';
import type { HttpTransport } from '../http/transport.ts';
import type { CallOptions } from '../retry.ts';
import type { CursorOptions } from './webhooks.ts';

/** Where a person, group or role is told that something waits. A Slack hook's address is never shown again. */
export type Channel = {
  id: string;
  namespace: string;
  owner_kind: 'user' | 'group' | 'role';
  owner: string;
  kind: 'email' | 'slack';
  address: string | null;
  /** Whether messages say what they are about. */
  detail: 'none' | 'summary';
  created_at: string;
};
export type NewChannel = Pick<Channel, 'owner_kind' | 'owner'> & { detail?: Channel['detail'] } & ({ kind: 'email'; address: string } | { kind: 'slack'; url: string });
export type Notice = {
  id: string;
  event_id: string;
  request_id: string | null;
  what: string;
  state: string;
  detail: string | null;
  attempts: number;
  next_attempt_at: string | null;
  created_at: string;
  done_at: string | null;
};

/** Mail and chat of people, for administrators. */
export class Channels {
  private readonly transport: HttpTransport;

  constructor(transport: HttpTransport) {
    this.transport = transport;
  }

  create(channel: NewChannel, call?: CallOptions): Promise<Channel> {
    return this.transport.json({ method: 'POST', path: '/webhooks/channels', body: channel, repeat: 'refused' }, call);
  }

  list(options: CursorOptions = {}, call?: CallOptions): Promise<Page<Channel>> {
    return this.transport.json({ method: 'GET', path: '/webhooks/channels', query: options, repeat: 'always' }, call);
  }

  async remove(id: string, call?: CallOptions): Promise<void> {
    await this.transport.send({ method: 'DELETE', path: `/webhooks/channels/${namePath(id)}`, repeat: 'refused' }, call);
  }

  test(id: string, call?: CallOptions): Promise<{ notice_id: string }> {
    return this.transport.json({ method: 'POST', path: `/webhooks/channels/${namePath(id)}/test`, repeat: 'refused' }, call);
  }

  notices(id: string, options: CursorOptions = {}, call?: CallOptions): Promise<Page<Notice>> {
    return this.transport.json({ method: 'GET', path: `/webhooks/channels/${namePath(id)}/notices`, query: options, repeat: 'always' }, call);
  }
}
