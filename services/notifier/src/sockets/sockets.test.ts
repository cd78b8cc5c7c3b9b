import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sees, viewerOf, type Audience } from './audience.ts';
import { EventWindow } from './event-window.ts';
import { readFeedEvent, type FeedEvent } from './feed-event.ts';
import { closedData, eventFrame, listFrame } from './frames.ts';
import { readPending } from './pending-page.ts';

const event = (id: string, more: Partial<FeedEvent> = {}): FeedEvent => ({ id, namespace: 'default', requestId: `r-${id}`, type: 'opened', seq: 1, joined: [], ...more });

describe('readPending', () => {
  it('finds ids and seqs whatever the items hold, and hands the items on as they came', () => {
    const item = fc.record({ data: fc.jsonValue({ stringUnit: 'binary' }), request_id: fc.string({ unit: 'binary', minLength: 1 }), more: fc.dictionary(fc.constantFrom('x', 'nested', 'status'), fc.jsonValue()), seq: fc.nat() });
    fc.assert(
      fc.property(fc.array(item), fc.nat(), (items, total) => {
        const rendered = items.map(({ more, ...rest }) => ({ interaction_id: rest.request_id, ...more, ...rest, votes: [{ request_id: 'inner', seq: 99 }] }));
        const page = readPending(Buffer.from(JSON.stringify({ total, items: rendered })));
        expect(page.total).toBe(total);
        expect(Buffer.from(page.items).toString()).toBe(JSON.stringify(rendered));
        const wellFormed = (text: string) => Buffer.from(text).toString();
        expect(page.seqs).toEqual(new Map(rendered.map((one) => [wellFormed(one.request_id), one.seq])));
      }),
    );
  });

  it.each(['', '{}', '[]', '{"items":[]}', '{"total":"many"}'])('refuses %j', (text) => expect(() => readPending(Buffer.from(text))).toThrow('query.pending'));
});

describe('frames', () => {
  it('are one JSON text each, the item as it came', () => {
    const frame = eventFrame('new_interaction', event('e-1', { seq: 3 }), '{"n": 1.0}').toString();
    expect(frame).toBe('{"type":"new_interaction","id":"e-1","seq":3,"event":"opened","data":{"n": 1.0}}');
    const list = listFrame(readPending(Buffer.from('{"total":7,"items":[{"request_id":"a","seq":1,"n": 1.0}]}')), 'e-0', true).toString();
    expect(list).toBe('{"type":"pending_interactions","data":[{"request_id":"a","seq":1,"n": 1.0}],"total":7,"id":"e-0","resync":true}');
    expect(closedData('a/b "c"', '{"status":"completed","data":{"outcome":1},"outcome":{"verdict":"ok","n": 1.0}}')).toBe('{"interaction_id":"a/b \\"c\\"","status":"completed","outcome":{"verdict":"ok","n": 1.0}}');
  });
});

describe('EventWindow', () => {
  it('is the tail of what went in, for any size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.nat({ max: 200 }), (capacity, count) => {
        const window = new EventWindow(capacity);
        for (let i = 0; i < count; i += 1) window.push(event(`e-${i}`, { namespace: i % 3 === 0 ? 'a' : 'b' }));
        expect(window.last).toBe(count === 0 ? null : `e-${count - 1}`);
        expect(window.size).toBe(Math.min(capacity, count));
        for (let i = 0; i < count; i += 1) {
          const kept = i >= count - capacity;
          expect(window.has(`e-${i}`)).toBe(kept);
          const expected = Array.from({ length: count - i - 1 }, (_, offset) => i + 1 + offset).filter((index) => index % 3 === 0).map((index) => `e-${index}`);
          expect(window.after(`e-${i}`, 'a')?.map(({ id }) => id) ?? null).toEqual(kept ? expected : null);
        }
      }),
    );
  });

  it('knows nothing from before it was emptied', () => {
    const window = new EventWindow(3);
    for (let i = 0; i < 5; i += 1) window.push(event(`e-${i}`));
    window.clear();
    expect([window.last, window.size, window.has('e-4'), window.after('e-4', 'default')]).toEqual([null, 0, false, null]);
    for (let i = 5; i < 15; i += 1) window.push(event(`e-${i}`));
    expect(window.after('e-12', 'default')?.map(({ id }) => id)).toEqual(['e-13', 'e-14']);
  });
});

describe('sees', () => {
  const principal = { namespace: 'default', key_id: 'k', roles: ['reviewer', 'legal'], user_id: 'ann', auth: 'api_key' as const, acts_for: [{ user_id: 'bob', roles: ['finance'] }] };
  const ann = viewerOf(principal, 'ann');
  const audience = (more: Partial<Audience>): Audience => ({ users: [], roles: [], excluded: [], ...more });
  it.each([
    ['named', { users: ['ann'] }, true],
    ['by role', { roles: ['legal'] }, true],
    ['for who delegated', { users: ['bob'] }, true],
    ['by the role of who delegated', { roles: ['finance'] }, true],
    ['a stranger', { users: ['carol'], roles: ['ops'] }, false],
    ['excluded', { users: ['ann'], excluded: ['ann'] }, false],
    ['excluded, so not for another either', { users: ['bob'], excluded: ['ann'] }, false],
    ['for who is excluded', { users: ['bob'], excluded: ['bob'] }, false],
    ['for who is excluded, but in their own right', { users: ['ann', 'bob'], excluded: ['bob'] }, true],
    ['a user whose name is a role', { users: ['legal'] }, false],
  ])('%s', (_, given, expected) => expect(sees(ann, audience(given))).toBe(expected));

  it('an administrator sees another\'s inbox as a plain reviewer of that name', () => {
    const admin = viewerOf({ ...principal, roles: ['admin', 'legal'], user_id: 'root' }, 'ann');
    expect(sees(admin, audience({ users: ['ann'] }))).toBe(true);
    expect(sees(admin, audience({ roles: ['reviewer'] }))).toBe(true);
    expect(sees(admin, audience({ roles: ['legal'] }))).toBe(false);
    expect(sees(admin, audience({ users: ['bob', 'root'] }))).toBe(false);
  });
});

describe('readFeedEvent', () => {
  const wire = (type: string, data: object) => Buffer.from(JSON.stringify({ id: 'e', namespace: 'default', request_id: 'r', type, seq: 2, data }));
  it.each([
    ['raised', { added: { users: ['x'], roles: ['y'] } }, ['u:x', 'r:y'], undefined],
    ['reassigned', { from: 'a', to: { users: ['b'], roles: [] } }, ['u:b'], 'a'],
    ['reassigned', { from: null, to: { users: ['b'], roles: ['c'] } }, ['u:b', 'r:c'], null],
    ['delegated', { from: 'a', to: 'b' }, ['u:b'], undefined],
    ['delegated', { from: 'a', ended: [0] }, [], undefined],
    ['claimed', { to: 'b', added: { users: ['x'] } }, [], undefined],
    ['raised', { added: { users: 'x', roles: [1] } }, [], undefined],
  ])('%s %j', (type, data, joined, from) => expect(readFeedEvent(wire(type, data))).toMatchObject({ joined, ...(from === undefined ? {} : { from }) }));
  it.each(['', '1', 'null', '{}', '{"id":1}'])('%j is none', (text) => expect(readFeedEvent(Buffer.from(text))).toBeNull());
});
