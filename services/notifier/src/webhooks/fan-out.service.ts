import { newId, postgresStep, type Sql } from '@umpire/runtime';
import type { Destinations } from '../destinations.queries.ts';
import type { ContentService } from './content.service.ts';
import type { DeliveryEngine } from './delivery.engine.ts';
import type { EndpointOpener } from './endpoint-opener.ts';
import { ensureCallbackEndpoints, sendableOfNamespaces } from './endpoint.queries.ts';
import { hostAllowed, wants, type Endpoint } from './endpoint.ts';
import { SETTLING_EVENTS, webhookEventOf } from './event-names.ts';
import { insertMessages, type DeliveryRow, type MessageRow } from './message.queries.ts';
import { callbackUrl, webhookBody, type Content, type IncomingEvent } from './webhook-body.ts';

type Wanted = { event: IncomingEvent; name: string; takers: Endpoint[]; store: boolean };
type Callback = { url: string; origin: string };

/** Turns events into messages and deliveries, and hands to the engine at once what it has room for. */
export class FanOutService {
  private readonly sql: Sql;
  private readonly opener: EndpointOpener;
  private readonly contents: ContentService;
  private readonly engine: DeliveryEngine;
  private readonly refused: (event: IncomingEvent, why: string) => void;

  /** @param refused is told of a callback address that is not used */
  constructor(parts: { sql: Sql; opener: EndpointOpener; contents: ContentService; engine: DeliveryEngine; refused: (event: IncomingEvent, why: string) => void }) {
    this.sql = parts.sql;
    this.opener = parts.opener;
    this.contents = parts.contents;
    this.engine = parts.engine;
    this.refused = parts.refused;
  }

  /**
   * Writes what the events ask for, once per event id however often it is called, and starts the first attempts.
   * @param destinations of their namespaces
   * @throws when the database or the store is away: nothing was written, call it again
   */
  async fanOut(events: IncomingEvent[], destinations: Map<string, Destinations>): Promise<void> {
    const named = events.flatMap((event) => {
      const name = webhookEventOf(event.type);
      return name === null ? [] : [{ event, name }];
    });
    if (named.length === 0) return;
    const allowed = new Map([...destinations].flatMap(([namespace, { callbackHosts }]) => (callbackHosts.length === 0 ? [] : [[namespace, callbackHosts]])));
    const endpoints = new Map([...destinations].flatMap(([namespace, found]) => {
      const own = found.endpoints.filter(({ kind }) => kind === 'endpoint');
      return own.length === 0 ? [] : [[namespace, own.map((row) => this.opener.open(row))]];
    }));
    // Where nobody listens nobody asks for it again: an endpoint that comes later has it from the store.
    for (const event of events) if (endpoints.has(event.namespace) || event.interaction?.includes('callback_url')) this.contents.remember(event);
    const wanted = named.map(({ event, name }): Wanted => {
      const takers = (endpoints.get(event.namespace) ?? []).filter((endpoint) => wants(endpoint, name, event.reason));
      // A disabled endpoint gets no delivery, but what it missed can be recovered.
      return { event, name, takers: takers.filter((endpoint) => endpoint.enabled), store: takers.length > 0 || (SETTLING_EVENTS.has(name) && allowed.has(event.namespace)) };
    });
    const kept = wanted.filter((item) => item.store);
    const texts = new Map((await this.contents.contents(kept.map((item) => item.event))).map((content, index) => [kept[index]!.event, content]));
    const callbacks = this.callbacksOf(kept, texts, allowed);
    const origins = await this.callbackEndpoints(callbacks);
    await this.write(wanted, texts, callbacks, origins);
    for (const { event, name } of named) if (SETTLING_EVENTS.has(name)) this.contents.forget(event);
  }

  private async write(wanted: Wanted[], texts: Map<IncomingEvent, Content>, callbacks: Map<IncomingEvent, Callback>, origins: Map<string, Endpoint>): Promise<void> {
    const messages: MessageRow[] = [];
    const deliveries: (DeliveryRow & { endpoint: Endpoint; message: MessageRow })[] = [];
    for (const { event, name, takers } of wanted) {
      const content = texts.get(event);
      const message: MessageRow = {
        eventId: event.id, namespace: event.namespace, event: name, requestId: event.requestId, reason: event.reason, seq: event.seq, occurredAt: event.occurredAt,
        body: content ? webhookBody(name, event, content) : null, trace: event.trace,
      };
      messages.push(message);
      const callback = callbacks.get(event);
      const origin = callback && origins.get(`${event.namespace} ${callback.origin}`);
      for (const endpoint of takers) deliveries.push({ id: newId(), eventId: event.id, endpointId: endpoint.id, url: null, held: this.engine.reserve(endpoint, message.body!.length), endpoint, message });
      if (callback && origin) deliveries.push({ id: newId(), eventId: event.id, endpointId: origin.id, url: callback.url, held: this.engine.reserve(origin, message.body!.length), endpoint: origin, message });
    }
    let made = new Set<string>();
    const leasedFrom = performance.now();
    try {
      made = await postgresStep('insert deliveries', () => insertMessages(this.sql, messages, deliveries, this.engine.replica, this.engine.leaseMs));
    } finally {
      for (const { held, id, endpoint, url, message } of deliveries) {
        if (held) this.engine.release(endpoint, message.body!.length);
        if (!made.has(id)) continue;
        if (held) this.engine.take(endpoint, { id, eventId: message.eventId, url, event: message.event, reason: message.reason, body: message.body!, attempts: 0, roundStart: 0, fence: 1, occurredAt: Date.parse(message.occurredAt), trace: message.trace }, leasedFrom);
        else this.engine.due(endpoint);
      }
    }
  }

  private callbacksOf(kept: Wanted[], texts: Map<IncomingEvent, Content>, allowed: Map<string, string[]>): Map<IncomingEvent, Callback> {
    const callbacks = new Map<IncomingEvent, Callback>();
    for (const { event, name } of kept) {
      const hosts = allowed.get(event.namespace);
      if (!hosts || !SETTLING_EVENTS.has(name)) continue;
      const text = callbackUrl(texts.get(event)!.interaction);
      if (text === null) continue;
      const url = URL.parse(text);
      if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') this.refused(event, 'not an http address');
      else if (!hostAllowed(url.hostname, hosts)) this.refused(event, 'its host is not on the allow-list');
      else callbacks.set(event, { url: url.href, origin: url.origin });
    }
    return callbacks;
  }

  private async callbackEndpoints(callbacks: Map<IncomingEvent, Callback>): Promise<Map<string, Endpoint>> {
    if (callbacks.size === 0) return new Map();
    const origins = new Map([...callbacks].map(([{ namespace }, { origin }]) => [`${namespace} ${origin}`, { namespace, origin }]));
    await ensureCallbackEndpoints(this.sql, [...origins.values()].map((item) => ({ id: newId(), ...item })));
    const rows = await sendableOfNamespaces(this.sql, [...new Set([...origins.values()].map((item) => item.namespace))]);
    return new Map(rows.filter((row) => row.kind === 'callback' && origins.has(`${row.namespace} ${row.url}`)).map((row) => [`${row.namespace} ${row.url}`, this.opener.open(row)]));
  }
}
