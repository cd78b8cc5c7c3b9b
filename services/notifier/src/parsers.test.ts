import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyText, dressed, expectCleanPrototypes, isStorable, readOrRefused, realRequests, runs } from '../../../libs/testing/test/fuzz.ts';
import { hostileValue, mutationOf } from '../../../libs/testing/test/mutate.ts';
import { createChannelSchema } from './people/channel.schemas.ts';
import { closedData, eventFrame } from './sockets/frames.ts';
import { readFeedEvent } from './sockets/feed-event.ts';
import { readPending } from './sockets/pending-page.ts';
import { parseMessage } from './sockets/said.ts';
import { AddressPolicy, parseAllowedRanges } from './webhooks/address-policy.ts';
import { checkEndpointUrl } from './webhooks/endpoint-url.ts';
import { callbacksSchema, createEndpointSchema, listDeliveriesSchema, recoverSchema, updateEndpointSchema } from './webhooks/endpoint.schemas.ts';
import { NameResolver } from './webhooks/name-resolver.ts';
import { MAX_RETRY_AFTER_MS, parseRetryAfter, retryDelay } from './webhooks/retry-schedule.ts';
import { parseSecret } from './webhooks/signature.ts';
import { readEvent, readEventHead, thinBody, webhookBody } from './webhooks/webhook-body.ts';

const head = (type: string) => `"id":"0f5c1c3e-8a4c-4c1e-9d1e-3f2a1b0c9d8e","schema_version":"1.0","type":"${type}","namespace":"default","request_id":"r/1","seq":2,"reason":"custom_rule","occurred_at":"2026-01-15T10:30:00.000Z"`;
const events: fc.Arbitrary<string> = fc.oneof(
  realRequests.map((request) => `{${head('opened')},"data":{"clocks":[],"rules":{"prompt":"x"},"escalation":${request}}}`),
  fc.constantFrom(`{${head('raised')},"data":{"clocks":[],"added":{"users":["a"],"roles":["r"]}}}`, `{${head('reassigned')},"data":{"clocks":[],"from":"a","to":{"users":["b"],"groups":[],"roles":[]}}}`, `{${head('delegated')},"data":{"to":"b"}}`, `{${head('resolved')},"data":{"outcome":{"verdict":"approve"}}}`),
);

/** A text that is JSON throughout: what we write has to be, whatever we read. */
const isJson = (text: string): boolean => {
  JSON.parse(text);
  return true;
};

describe(`what the notifier reads, whatever it is (UMPIRE_SEED=${runs.seed})`, () => {
  it('events for webhooks: one that can be stored and told, or rejected with a reason', () => {
    let refused = 0;
    fc.assert(fc.property(mutationOf(events), (bytes) => {
      let event;
      try {
        const head = readEventHead(bytes);
        expect([isStorable(head.requestId), isStorable(head.id), Number.isInteger(head.seq)]).toEqual([true, true, true]);
        event = readEvent(bytes);
      } catch (error) {
        refused += 1;
        // What the consumer logs; never that a value was not what the code took it for.
        expect([(error as Error).name, (error as Error).message]).toEqual([expect.stringMatching(/^(Error|JsonSyntaxError)$/), expect.stringMatching(/./)]);
        return;
      }
      expect([isStorable(event.requestId), isStorable(event.id), Number.isInteger(event.seq)]).toEqual([true, true, true]);
      const body = webhookBody('hitl_escalation_required', event, { escalation: event.escalation ?? 'null', interaction: event.interaction ?? 'null' });
      expect(isJson(body.toString()) && isJson(thinBody(body).toString())).toBe(true);
      expectCleanPrototypes();
    }), runs);
    expect(refused).toBeGreaterThan(0);
  });

  it('events for sockets: a frame that is JSON, or nothing', () => {
    fc.assert(fc.property(fc.oneof(mutationOf(events), fc.uint8Array({ maxLength: 60 })), (bytes) => {
      const event = readFeedEvent(bytes);
      if (!event) return;
      expect(isJson(eventFrame('new_interaction', event, '{}').toString())).toBe(true);
      expect(event.joined.every((key) => /^[ur]:/.test(key))).toBe(true);
    }), runs);
  });

  it('the store\'s answers, mutated: read, or refused as no answer', () => {
    const pending = fc.constant('{"total":2,"items":[{"interaction_id":"a","request_id":"a\\"b","seq":3,"data":{"seq":9,"request_id":"x"}},{"request_id":"b","seq":1}]}');
    const items = fc.constant('{"status":"completed","outcome":{"verdict":"approve"},"seq":2}');
    fc.assert(fc.property(mutationOf(pending), mutationOf(items), (page, item) => {
      for (const read of [() => readPending(page), () => closedData('r', item.toString())]) {
        try {
          read();
        } catch (error) {
          expect((error as Error).name).toMatch(/^(Error|SyntaxError|JsonSyntaxError)$/);
        }
      }
    }), runs);
  });

  it('what a socket says: a message, or none', () => {
    const said = fc.constantFrom('{"type":"subscribe","interaction_id":"a"}', '{"type":"ping"}', 'ping');
    fc.assert(fc.property(fc.oneof(mutationOf(said.filter((text) => text !== 'ping')).map((bytes) => bytes.toString()), anyText, fc.json(), said), (text) => {
      const message = parseMessage(text);
      if (message !== null) expect(typeof message).toBe('object');
      // How it is looked at must work on whatever came.
      expect([message?.type, message?.interaction_id]).toHaveLength(2);
      expectCleanPrototypes();
    }), runs);
  });

  it('endpoints, channels, callbacks and queries: taken as told, or refused by field', () => {
    const endpoint = fc.dictionary(fc.constantFrom('url', 'description', 'events', 'reasons', 'payload', 'headers', 'max_concurrency', 'rate_per_second', 'retry_schedule_seconds', 'secret', 'allowed_hosts', 'kind', 'owner', 'owner_kind', 'address', 'detail', 'limit', 'cursor', 'since', 'until', '__proto__'), fc.oneof(hostileValue, fc.constantFrom<unknown>('https://x.example/', 'whsec_x', ['hitl_escalation_required'], { 'X-A': 'b' }, { 'x\r\ny': 'z' }, { 'X-A': 'a\r\nX-B: c' }, [1, 2], '5')));
    fc.assert(fc.property(fc.oneof(endpoint, hostileValue), (value) => {
      for (const schema of [createEndpointSchema, updateEndpointSchema, callbacksSchema, createChannelSchema, listDeliveriesSchema, recoverSchema]) {
        const parsed = schema.safeParse(value);
        if (!parsed.success) expect(parsed.error.issues.length).toBeGreaterThan(0);
        else if ('headers' in parsed.data && parsed.data.headers) for (const [name, text] of Object.entries(parsed.data.headers)) expect(() => new Headers({ [name]: text })).not.toThrow();
      }
      expectCleanPrototypes();
    }), runs);
  });

  it('addresses: public ones that are http, or refused by field', async () => {
    // Names lead nowhere here: what is judged is what stands in the address itself.
    const reachability = { policy: new AddressPolicy([]), allowHttp: true, resolver: new NameResolver(() => Promise.resolve([])) };
    const hosts = fc.oneof(anyText, fc.ipV4(), fc.ipV6(), fc.integer({ min: 0, max: 2 ** 32 }).map(String), fc.domain());
    const urls = fc.tuple(fc.constantFrom('http://', 'https://', '', 'ftp://', 'https:', '//'), hosts, fc.constantFrom('', '/', ':80/', '@x/', '/\r\nx: y')).map((parts) => parts.join(''));
    await fc.assert(fc.asyncProperty(urls, async (text) => {
      try {
        // No credentials before the host; a path may hold an "@" (RFC 3986, section 3.3).
        expect(await checkEndpointUrl(text, reachability)).toMatch(/^https?:\/\/[^\s@/?#\\]+(?:[/?#]\S*)?$/);
      } catch (error) {
        readOrRefused(() => { throw error; });
      }
    }), runs);
  });

  it('ranges, secrets and Retry-After: what they say, or that they say nothing', () => {
    fc.assert(fc.property(fc.oneof(anyText, fc.nat().map(String), fc.date({ noInvalidDate: true }).map((date) => date.toUTCString())), (text) => {
      for (const word of [...dressed(text), `whsec_${Buffer.from(text).toString('base64')}`]) {
        const ranges = parseAllowedRanges(word);
        if (!ranges.ok) expect(ranges.error).not.toBe('');
        expect(['public', 'allowed_private', 'refused']).toContain(new AddressPolicy([]).judge(word));
        parseSecret(word);
        const after = parseRetryAfter(word, 0);
        if (after === null) continue;
        expect(after).toBeGreaterThanOrEqual(0);
        // Whatever a receiver asks for, it is asked again within the hour and its jitter.
        expect(retryDelay([1], 1, after, 0.999)).toBeLessThanOrEqual(MAX_RETRY_AFTER_MS * 1.2);
      }
    }), runs);
  });
});
