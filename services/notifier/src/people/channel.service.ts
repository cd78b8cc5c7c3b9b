import { UmpireError } from '@umpire/contract';
import { newId, type Sealer, type Sql } from '@umpire/runtime';
import { checkEndpointUrl } from '../webhooks/endpoint-url.ts';
import type { Reachability } from '../webhooks/pinned-connector.ts';
import { deleteChannel, insertChannel, insertNotices, listChannels, listNotices, selectChannel, type ChannelRow, type NoticeView } from './channel.queries.ts';
import type { CreateChannel } from './channel.schemas.ts';

export type ChannelServiceParts = { sql: Sql; sealer: Sealer; reachability: Reachability; mail: boolean; wake: () => void };

/** What administrators do with channels, within one namespace. */
export class ChannelService {
  private readonly parts: ChannelServiceParts;

  constructor(parts: ChannelServiceParts) {
    this.parts = parts;
  }

  async create(namespace: string, given: CreateChannel) {
    const { sql, sealer, reachability, mail } = this.parts;
    if (given.kind === 'email' && !mail) throw new UmpireError('unsupported', 'this installation has no mail server (UMPIRE_SMTP_URL)');
    const id = newId();
    const sealed = given.kind === 'slack' ? sealer.seal(id, Buffer.from(await checkEndpointUrl(given.url, reachability))) : null;
    const row = await insertChannel(sql, {
      id, namespace, owner_kind: given.owner_kind, owner: given.owner, kind: given.kind, address: given.kind === 'email' ? given.address : null, sealed_address: sealed, detail: given.detail,
    });
    return showChannel(row);
  }

  async list(namespace: string, limit: number, after: string | null) {
    const rows = await listChannels(this.parts.sql, namespace, after, limit + 1);
    return { items: rows.slice(0, limit).map(showChannel), next: rows.length > limit ? rows[limit - 1]!.id : null };
  }

  async delete(namespace: string, id: string): Promise<void> {
    if (!(await deleteChannel(this.parts.sql, namespace, id))) throw notFound();
  }

  /** Sends a message that says it is a test. */
  async test(namespace: string, id: string) {
    await this.find(namespace, id);
    const notice = { id: newId(), channelId: id, eventId: newId(), namespace, requestId: '', what: 'test' as const };
    await insertNotices(this.parts.sql, [notice]);
    this.parts.wake();
    return { notice_id: notice.id };
  }

  async notices(namespace: string, id: string, limit: number, before: string | null) {
    await this.find(namespace, id);
    const rows = await listNotices(this.parts.sql, id, before, limit + 1);
    return { items: rows.slice(0, limit).map(showNotice), next: rows.length > limit ? rows[limit - 1]!.id : null };
  }

  private async find(namespace: string, id: string): Promise<ChannelRow> {
    const row = await selectChannel(this.parts.sql, namespace, id);
    if (!row) throw notFound();
    return row;
  }
}

const notFound = () => new UmpireError('not_found', 'no such channel');

/** A Slack hook's address is a secret and never leaves again. */
const showChannel = (row: ChannelRow) => ({
  id: row.id, namespace: row.namespace, owner_kind: row.owner_kind, owner: row.owner, kind: row.kind, address: row.address, detail: row.detail, created_at: row.created_at.toISOString(),
});

const showNotice = (row: NoticeView) => ({
  id: row.id, event_id: row.event_id, request_id: row.request_id === '' ? null : row.request_id, what: row.what, state: row.state, detail: row.detail, attempts: row.attempts,
  next_attempt_at: row.state === 'pending' ? row.due_at.toISOString() : null, created_at: row.created_at.toISOString(), done_at: row.done_at?.toISOString() ?? null,
});
