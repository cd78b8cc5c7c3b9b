import { member, readJson, type JsonNode } from '@umpire/contract';
import { newId, type Sql } from '@umpire/runtime';
import type { Destinations } from '../destinations.queries.ts';
import type { Seen, StoreReads } from '../sockets/store-reads.ts';
import type { ContentService } from '../webhooks/content.service.ts';
import type { IncomingEvent } from '../webhooks/webhook-body.ts';
import { asked, whatOf, type What } from './asking.ts';
import { channelOwners, insertNotices, type NoticeRow } from './channel.queries.ts';

/** An event with its message's bytes. */
export type Heard = { event: IncomingEvent; bytes: Uint8Array };

/** Turns events into notices for the channels of those who are asked. */
export class NoticeFanOut {
  private readonly sql: Sql;
  private readonly reads: StoreReads;
  private readonly contents: ContentService;
  private readonly made: () => void;

  /** @param made is called when there is something to send */
  constructor(parts: { sql: Sql; reads: StoreReads; contents: ContentService; made: () => void }) {
    this.sql = parts.sql;
    this.reads = parts.reads;
    this.contents = parts.contents;
    this.made = parts.made;
  }

  /**
   * Safe to call again with the same events.
   * @param destinations of their namespaces
   * @throws when the database or the store is away
   */
  async fanOut(heard: Heard[], destinations: Map<string, Destinations>): Promise<void> {
    const telling = heard.flatMap((one) => {
      const what = whatOf(one.event.type);
      return what === null || destinations.get(one.event.namespace)?.channels !== true ? [] : [{ ...one, what }];
    });
    if (telling.length === 0) return;
    const owners = Map.groupBy(await channelOwners(this.sql, [...new Set(telling.map(({ event }) => event.namespace))]), (channel) => channel.namespace);
    const concerned = telling.filter(({ event }) => owners.has(event.namespace));
    if (concerned.length === 0) return;
    for (const { event } of concerned) this.contents.remember(event);
    const items = await this.items(concerned);
    const rules = await this.contents.contents(concerned.map(({ event }) => event));
    const notices = concerned.flatMap(({ event, bytes, what }, index): NoticeRow[] => {
      const item = items.get(`${event.namespace}/${event.requestId}`);
      if (!item) return [];
      const people = asked(event, dataOf(bytes), readJson(rules[index]!.interaction, { maxDepth: 512 }), item);
      const keys = new Set([...people.users.map((user) => `user ${user}`), ...people.roles.map((role) => `role ${role}`), ...people.groups.map((group) => `group ${group}`)]);
      return owners.get(event.namespace)!.filter((channel) => keys.has(`${channel.owner_kind} ${channel.owner}`)).map((channel) => noticeOf(channel.id, event, what));
    });
    if (notices.length > 0 && (await insertNotices(this.sql, notices)) > 0) this.made();
  }

  private async items(concerned: { event: IncomingEvent }[]): Promise<Map<string, Seen | null>> {
    const items = new Map<string, Seen | null>();
    for (const [namespace, group] of Map.groupBy(concerned, ({ event }) => event.namespace)) {
      for (const [id, item] of await this.reads.items(namespace, [...new Set(group.map(({ event }) => event.requestId))])) items.set(`${namespace}/${id}`, item);
    }
    return items;
  }
}

const noticeOf = (channelId: string, event: IncomingEvent, what: What): NoticeRow => ({ id: newId(), channelId, eventId: event.id, namespace: event.namespace, requestId: event.requestId, what });

const dataOf = (bytes: Uint8Array): JsonNode | undefined => member(readJson(bytes, { maxDepth: 512 }), 'data');
