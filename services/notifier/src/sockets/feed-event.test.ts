import { describe, expect, it } from 'vitest';
import { readFeedEvent } from './feed-event.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const head = (type: string, id = 'a') => `{"id":"e1","schema_version":"1","type":"${type}","namespace":"default","request_id":${JSON.stringify(id)},"seq":2,"reason":"custom_rule","occurred_at":"2026-01-01T00:00:00.000Z"`;

describe('what sockets read of an event', () => {
  it('is its head, whatever stands in its data', () => {
    expect(readFeedEvent(bytes(`${head('opened')},"data":{"escalation":{"data":"}"}}}`))).toEqual({ id: 'e1', namespace: 'default', requestId: 'a', type: 'opened', seq: 2, joined: [] });
  });

  it('is right for an id that looks like a member', () => {
    expect(readFeedEvent(bytes(`${head('opened', 'x,"data":{"type":"raised"}')},"data":{}}`))?.requestId).toBe('x,"data":{"type":"raised"}');
  });

  it('reads who joined where people move', () => {
    expect(readFeedEvent(bytes(`${head('raised')},"data":{"added":{"users":["bob"],"roles":["lead"]}}}`))?.joined).toEqual(['u:bob', 'r:lead']);
    expect(readFeedEvent(bytes(`${head('delegated')},"data":{"to":"carol"}}`))?.joined).toEqual(['u:carol']);
  });

  it('reads a message whose members stand in another order', () => {
    const text = '{"namespace":"default","note":{"x":1,"data":2},"id":"e2","type":"opened","request_id":"b","seq":1,"data":{}}';
    expect(readFeedEvent(bytes(text))?.id).toBe('e2');
  });

  it('takes nothing for what is no event', () => {
    expect(readFeedEvent(bytes('{"id":"e1","data":{}}'))).toBeNull();
    expect(readFeedEvent(bytes('nothing,"data":'))).toBeNull();
    expect(readFeedEvent(new Uint8Array([0xff, 0xfe]))).toBeNull();
  });
});
