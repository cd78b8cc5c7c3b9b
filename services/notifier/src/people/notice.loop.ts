import { counter, Loop, type Logger, type Sealer, type Sql } from '@umpire/runtime';
import { sees, viewerOf } from '../sockets/audience.ts';
import type { Seen, StoreReads } from '../sockets/store-reads.ts';
import type { HttpSender } from '../webhooks/http-sender.ts';
import { retryDelay } from '../webhooks/retry-schedule.ts';
import { readAsked, type Asked } from './asking.ts';
import { claimNotices, nextNotice, pruneNotices, recordNotice, type ClaimedNotice, type NoticeResult } from './channel.queries.ts';
import type { Mailer } from './mailer.ts';
import { mailText, messageText, slackText } from './message-text.ts';

const AT_ONCE = 20;
const PER_CHANNEL = 2;
/** Longer than any attempt takes. */
const LEASE_MS = 60_000;
const POLL_MS = 5_000;
const PRUNE = 500;
const PRUNE_EVERY_MS = 60_000;
/** A batch whose check failed for want of the store is tried again after this, ms. */
const STORE_AWAY_MS = 2_000;

export type NoticeLoopParts = {
  sql: Sql;
  reads: StoreReads;
  sender: Pick<HttpSender, 'send'>;
  /** Null where no mail server is configured. */
  mailer: Mailer | null;
  sealer: Sealer;
  logger: Logger;
  replica: string;
  publicUrl: string;
  retrySeconds: readonly number[];
  retentionDays: number;
};

type Sent = { ok: true } | { ok: false; permanent: boolean; detail: string; retryAfterMs: number | null };

/**
 * Writes to people. Each notice is looked at again right before it goes: what is settled by now, or not theirs any more, or
 * answered, is not sent. Attempts run beside each other, a few of a channel at most, so that one that hangs delays its own only.
 */
export class NoticeLoop {
  private readonly parts: NoticeLoopParts;
  private readonly loop: Loop;
  private readonly active = new Map<string, { channelId: string; done: Promise<void> }>();
  private readonly told = counter('umpire_notifier_notices_total', 'Messages to people, by what became of them', ['state']);
  private stopping = false;
  private pruneAt = 0;

  constructor(parts: NoticeLoopParts) {
    this.parts = parts;
    this.loop = new Loop({ name: 'notices', intervalMs: POLL_MS, runOnce: () => this.runOnce(), logger: parts.logger });
  }

  start(): void {
    this.loop.start();
  }

  wake(): void {
    this.loop.wake();
  }

  /** Claims nothing more and waits for what is being sent. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.loop.stop();
    await Promise.all([...this.active.values()].map(({ done }) => done));
  }

  private async runOnce(): Promise<{ handled: number; nextInMs: number }> {
    const { sql, replica } = this.parts;
    if (performance.now() >= this.pruneAt) await this.prune();
    const room = AT_ONCE - this.active.size;
    const claimed = room > 0 ? await claimNotices(sql, room, PER_CHANNEL, this.busy(), replica, LEASE_MS) : [];
    for (const [namespace, notices] of Map.groupBy(claimed, (notice) => notice.namespace)) void this.check(namespace, notices);
    // Something ends soon and wakes the loop; else the next due time does.
    const next = this.active.size >= AT_ONCE ? null : await nextNotice(sql);
    return { handled: 0, nextInMs: next === null ? POLL_MS : Math.max(claimed.length > 0 ? 0 : 100, Math.ceil(next)) };
  }

  private async prune(): Promise<void> {
    const pruned = await pruneNotices(this.parts.sql, this.parts.retentionDays, PRUNE);
    if (pruned < PRUNE) this.pruneAt = performance.now() + PRUNE_EVERY_MS;
  }

  private busy(): string[] {
    const counts = Map.groupBy(this.active.values(), ({ channelId }) => channelId);
    return [...counts].filter(([, held]) => held.length >= PER_CHANNEL).map(([id]) => id);
  }

  private check(namespace: string, notices: ClaimedNotice[]): void {
    const asking = this.parts.reads.items(namespace, [...new Set(notices.filter(({ what }) => what !== 'test').map((notice) => notice.request_id))]);
    for (const notice of notices) {
      const done = asking
        .then((items) => this.handle(notice, items.get(notice.request_id) ?? null), (error: unknown) => this.storeAway(notice, error))
        .then((result) => this.record(notice, result))
        .catch((error: unknown) => this.parts.logger.error({ err: error, notice_id: notice.id }, 'notice_not_recorded'))
        .finally(() => {
          this.active.delete(notice.id);
          if (!this.stopping) this.loop.wake();
        });
      this.active.set(notice.id, { channelId: notice.channel_id, done });
    }
  }

  private storeAway(notice: ClaimedNotice, error: unknown): NoticeResult {
    this.parts.logger.warn({ err: error, notice_id: notice.id }, 'notice_not_checked');
    return { id: notice.id, fence: notice.fence, state: 'pending', detail: null, attempted: false, delayMs: STORE_AWAY_MS };
  }

  private async handle(notice: ClaimedNotice, item: Seen | null): Promise<NoticeResult> {
    const base = { id: notice.id, fence: notice.fence, detail: null, delayMs: 0 };
    const asked = item ? readAsked(item.text) : null;
    const reason = notice.what === 'test' ? null : whyNot(notice, item, asked);
    if (reason !== null) return { ...base, state: 'skipped', detail: reason, attempted: false };
    const sent = await this.send(notice, asked);
    if (sent.ok) return { ...base, state: 'sent', attempted: true };
    const delayMs = sent.permanent ? null : retryDelay(this.parts.retrySeconds, notice.attempts + 1, sent.retryAfterMs, Math.random());
    return { ...base, state: delayMs === null ? 'failed' : 'pending', detail: sent.detail, attempted: true, delayMs: delayMs ?? 0 };
  }

  private async send(notice: ClaimedNotice, asked: Asked | null): Promise<Sent> {
    const { mailer, sender, sealer, publicUrl } = this.parts;
    const message = messageText(notice.what, notice.request_id, asked, notice.detail, publicUrl);
    if (notice.kind === 'email') {
      if (!mailer) return { ok: false, permanent: true, detail: 'no mail server is configured', retryAfterMs: null };
      const host = URL.parse(publicUrl)?.hostname ?? 'localhost';
      const result = await mailer.send({ to: notice.address!, subject: message.subject, text: mailText(message), messageId: `<${notice.id}@${host}>` });
      return result.ok ? result : { ...result, retryAfterMs: null };
    }
    try {
      const url = new URL(sealer.open(notice.channel_id, notice.sealed_address!).toString());
      const answer = await sender.send({ url, headers: { 'content-type': 'application/json', 'user-agent': 'Umpire-Notices/1' }, body: Buffer.from(JSON.stringify({ text: slackText(message) })) });
      if (answer.error === null) return { ok: true };
      const permanent = answer.status !== null && answer.status >= 400 && answer.status < 500 && answer.status !== 429 && answer.status !== 408;
      return { ok: false, permanent, detail: answer.status === null ? `${answer.error}: ${answer.detail ?? ''}` : `answered ${answer.status}`, retryAfterMs: answer.retryAfterMs };
    } catch {
      return { ok: false, permanent: true, detail: 'its address was sealed under a key that this process does not have', retryAfterMs: null };
    }
  }

  private async record(notice: ClaimedNotice, result: NoticeResult): Promise<void> {
    this.told.inc({ state: result.state === 'pending' ? 'retried' : result.state });
    const line = { notice_id: notice.id, channel_id: notice.channel_id, namespace: notice.namespace, kind: notice.kind, what: notice.what, state: result.state, detail: result.detail };
    this.parts.logger[result.state === 'failed' ? 'warn' : 'debug'](line, 'notice');
    await recordNotice(this.parts.sql, result);
  }
}

/** @returns why it is not to be sent any more, or null */
function whyNot(notice: ClaimedNotice, item: Seen | null, asked: Asked | null): string | null {
  if (!item || !asked) return 'not known any more';
  if (asked.status !== 'pending') return 'settled';
  if (notice.owner_kind === 'role') return item.roles.includes(notice.owner) ? null : 'not theirs any more';
  if (notice.owner_kind === 'group') return null;
  const viewer = viewerOf({ namespace: notice.namespace, key_id: '', roles: [], user_id: notice.owner, auth: 'api_key' }, notice.owner);
  if (!sees(viewer, item)) return 'not theirs any more';
  return asked.answered.includes(notice.owner) ? 'answered' : null;
}
