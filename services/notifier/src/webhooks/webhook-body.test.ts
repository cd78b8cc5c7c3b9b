import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeUtf8, member, rawText, readJson } from '@umpire/contract';
import { ContentCache } from './content-cache.ts';
import { callbackUrl, readEvent, readEventHead, thinBody, webhookBody } from './webhook-body.ts';

const ID = '0192f0c1-1111-7abc-8def-000000000001';

function eventText(payload: string, more: { data?: string; type?: string } = {}): string {
  return `{"id":"${ID}","schema_version":"1.0","type":"${more.type ?? 'opened'}","namespace":"default","request_id":"hitl-Übung 7/x","seq":1,"reason":"custom_rule","occurred_at":"2026-01-15T10:30:00.123Z","data":{"rules":{"pattern":"review", "n": 1.0},"clocks":[],${more.data ?? `"escalation":${payload}`}}}`;
}

/** The text that stands in the body as its escalation. */
function splicedEscalation(payload: string): string {
  const event = readEvent(Buffer.from(eventText(payload)));
  const text = decodeUtf8(webhookBody('hitl_escalation_required', event, { escalation: event.escalation!, interaction: event.interaction! }));
  return rawText(member(readJson(text, { maxDepth: 512 }), 'escalation')!, text);
}

describe('webhookBody', () => {
  it('hands the payload on byte for byte', () => {
    const payload = '{ "b" : 30.0, "a":9007199254740993,"a":1e400, "s":"\\u0000\\ud800 naïve 審査 😀 \\/", "n":[ ],"deep":[[[{"x" : -0.0}]]] }';
    expect(splicedEscalation(payload)).toBe(payload);
  });

  it('hands any JSON on byte for byte', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), fc.constantFrom(0, 2), (json, indent) => {
        const payload = JSON.stringify(JSON.parse(json), null, indent);
        expect(splicedEscalation(payload)).toBe(payload);
      }),
    );
  });

  const real = new URL('../../../../../shared/data/hitl-requests.jsonl', import.meta.url);
  it.skipIf(!existsSync(real))('hands on what the upstream framework writes, byte for byte', () => {
    const lines = readFileSync(real, 'utf8').split('\n').filter((line) => line !== '');
    expect(lines.length).toBeGreaterThan(300);
    for (const line of lines) expect(splicedEscalation(line)).toBe(line);
  });

  it('has the members of the contract first, then ours', () => {
    const event = readEvent(Buffer.from(eventText('{"request_id":"hitl-Übung 7/x"}')));
    const body = webhookBody('hitl_escalation_required', event, { escalation: event.escalation!, interaction: event.interaction! }).toString();
    expect(body).toBe(
      `{"event":"hitl_escalation_required","escalation":{"request_id":"hitl-Übung 7/x"},"timestamp":"2026-01-15T10:30:00.123Z","interaction":{"pattern":"review", "n": 1.0},"seq":1,"id":"${ID}","schema_version":"1.0","namespace":"default","request_id":"hitl-Übung 7/x","reason":"custom_rule"}`,
    );
  });

  it('carries the outcome as it came, and thin bodies carry no content', () => {
    const event = readEvent(Buffer.from(eventText('', { type: 'resolved', data: '"outcome":{"verdict":"approve","response":{"n": 1.00}}' })));
    const body = webhookBody('hitl_escalation_resolved', event, { escalation: '{"secret":"content"}', interaction: 'null' });
    expect(body.toString()).toContain('"outcome":{"verdict":"approve","response":{"n": 1.00}}}');
    expect(JSON.parse(thinBody(body).toString())).toEqual({
      event: 'hitl_escalation_resolved', timestamp: '2026-01-15T10:30:00.123Z', seq: 1, id: ID, schema_version: '1.0', namespace: 'default', request_id: 'hitl-Übung 7/x', reason: 'custom_rule',
    });
  });
});

describe('readEvent', () => {
  const payload = '{"a":"},\\"escalation\\":","b":{"escalation":1,"c":2}}';
  it.each([
    ['last in data, as the store writes it', (text: string) => text, payload],
    ['not last in data', (text: string) => text.replace(/}}$/, ',"later":{"x":1}}}'), payload],
    ['data not last', (text: string) => text.replace(/}$/, ',"later":{"x":1}}'), payload],
    ['spaces around', (text: string) => text.replace(/}}$/, ' } }').replace('"escalation":', '"escalation" : '), payload],
    ['a space inside', (text: string) => text.replace('"escalation":', '"escalation": '), payload],
    ['twice: the last counts', (text: string) => text.replace(/}}$/, ',"escalation":[2]}}'), '[2]'],
    ['in another member first', (text: string) => text.replace('"data":', '"other":{"n":1,"escalation":3},"data":'), payload],
    ['in another member only', (text: string) => text.replace('"data":', '"data":{"outcome":null},"other":'), null],
    ['in another member, data behind it', (text: string) => `${text.replace('"data":', '"other":').slice(0, -1)},"data":{"n":1}}`, null],
  ])('finds the payload: %s', (_name, written, expected) => {
    const text = written(eventText(payload));
    expect(() => { JSON.parse(text); }).not.toThrow();
    const whole = member(member(readJson(text), 'data'), 'escalation');
    expect(whole === undefined ? null : rawText(whole, text)).toBe(expected);
    expect(readEvent(Buffer.from(text))).toMatchObject({ id: ID, escalation: expected });
  });

  it.each(['', 'null', '[]', '{}', '{"id":"x"}', eventText('{}').replace(ID, 'not-a-uuid'), eventText('{}').replace('"seq":1', '"seq":"1"'), eventText('{}').replace('2026-01-15T10:30:00.123Z', 'now'), eventText('{')])('refuses %j', (text) => {
    expect(() => readEvent(Buffer.from(text))).toThrow();
  });

  it.each([
    ['an id with a NUL', '"request_id":"hitl-Übung 7/x"', '"request_id":"p\\u0000"'],
    ['an id that is too long', '"request_id":"hitl-Übung 7/x"', `"request_id":"${'x'.repeat(513)}"`],
    ['a namespace that none can have', '"namespace":"default"', '"namespace":"DEFAULT"'],
    ['a reason with a NUL', '"reason":"custom_rule"', '"reason":"gut\\u0000"'],
    ['a seq that none can have', '"seq":1', '"seq":0'],
  ])('refuses %s: neither the store nor the database would take it', (_, from, to) => {
    const text = eventText('{}');
    expect(text).toContain(from);
    expect(() => readEvent(Buffer.from(text.replace(from, to)))).toThrow('not an escalation event');
  });
});

describe('readEventHead', () => {
  const none = { escalation: null, interaction: null, outcome: null };
  it.each([
    ['as the store writes it', eventText('{"a":1}'), none],
    ['with content that nobody looks at', `${eventText('{"a":1}').slice(0, -2)}\n`, none],
    ['of which a part stands behind data: whole', `${eventText('{"a":1}').replace('"seq":1,', '').slice(0, -1)},"seq":1}`, { ...none, escalation: '{"a":1}', interaction: '{"pattern":"review", "n": 1.0}' }],
    ['whose data is not behind the rest: whole', `{"data":{"escalation":[1]},${eventText('{}').slice(1).replace(/,"data".*$/, '}')}`, { ...none, escalation: '[1]' }],
  ])('reads what stands before data: %s', (_name, text, content) => {
    expect(readEventHead(Buffer.from(text))).toEqual({ ...readEvent(Buffer.from(eventText('{"a":1}'))), ...content });
  });

  it.each(['', 'null', '[]', '{}', '[1,"data":2]', 'null,"data":1', '{"id":{},"data":1}', eventText('{}').replace(ID, 'not-a-uuid'), eventText('{}').replace('"seq":1', '"seq":"1"'), eventText('{}').replace('"seq":1', '"seq":0'),
    eventText('{}').replace('"default"', '"DEFAULT"'), eventText('{}').replace('"custom_rule"', '"gut\\u0000"'), eventText('{}').replace('2026-01-15T10:30:00.123Z', 'now')])('refuses %j', (text) => {
    expect(() => readEventHead(Buffer.from(text))).toThrow();
  });
});

describe('callbackUrl', () => {
  it.each([
    ['{"resume":{"callback_url":"https://ci.example/x"}}', 'https://ci.example/x'],
    ['{"resume":{}}', null],
    ['{"prompt":"callback_url"}', null],
    ['null', null],
  ])('of %s is %j', (interaction, expected) => expect(callbackUrl(interaction)).toBe(expected));
});

describe('ContentCache', () => {
  it('holds no more bytes than it may, and lets the least recently used go first', () => {
    const cache = new ContentCache(10_000);
    const content = { escalation: 'x'.repeat(1_000), interaction: 'null' };
    for (let i = 0; i < 4; i += 1) cache.set('ns', `id-${i}`, content);
    expect(cache.get('ns', 'id-0')).toEqual(content);
    cache.set('ns', 'id-4', content);
    expect(cache.get('ns', 'id-1')).toBeNull();
    expect(cache.get('ns', 'id-0')).toEqual(content);
    for (let i = 0; i < 1_000; i += 1) cache.set('ns', `more-${i}`, { escalation: 'y'.repeat(i % 500), interaction: '{}' });
    expect(cache.bytes).toBeLessThanOrEqual(10_000);
    cache.set('ns', 'huge', { escalation: 'x'.repeat(20_000), interaction: 'null' });
    expect(cache.get('ns', 'huge')).toBeNull();
    for (let i = 0; i < 1_000; i += 1) cache.delete('ns', `more-${i}`);
    expect(cache.bytes).toBe(0);
  });
});
