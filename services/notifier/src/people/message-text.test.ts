import { describe, expect, it } from 'vitest';
import { member, readJson } from '@umpire/contract';
import { asked, readAsked, whatOf, type Asked } from './asking.ts';
import { mailText, messageText, slackText } from './message-text.ts';

const item: Asked = {
  status: 'pending', pattern: 'timed_decision', reason: 'hard_disagreement', priority: 'critical', prompt: 'Transfer <!channel> 5,000 &\r\nBcc: evil@example.com\u0007 to X?', summary: 'summary', expiresAt: '2026-01-15T10:30:00.000Z',
  overdue: false, answered: [],
};

describe('messageText', () => {
  it('without detail says nothing of the content', () => {
    const message = messageText('asked', 'hitl-loan/2024/17-Ü', item, 'none', 'https://umpire.example/');
    expect(message).toEqual({
      subject: 'A decision is waiting for you (critical)',
      lines: ['A decision is waiting for you: timed decision, because of hard disagreement, priority critical.', 'Until 2026-01-15 10:30 UTC.'],
      link: 'https://umpire.example/e/~aGl0bC1sb2FuLzIwMjQvMTctw5w',
    });
    expect(`${mailText(message)}${slackText(message)}`).not.toMatch(/loan|Transfer|summary/);
  });

  it('with detail says it in one line of bounded length, in which nothing works', () => {
    const message = messageText('asked', 'x', item, 'summary', 'https://umpire.example');
    expect(message.subject).toBe('A decision is waiting for you (critical)');
    expect(message.lines[1]).toBe('Transfer <!channel> 5,000 & Bcc: evil@example.com to X?');
    expect(slackText(message)).toContain('Transfer &lt;!channel&gt; 5,000 &amp; Bcc: evil@example.com to X?');
    const long = messageText('asked', 'x', { ...item, prompt: '😀'.repeat(600) }, 'summary', 'https://umpire.example').lines[1]!;
    expect([...long]).toHaveLength(501);
    expect(long.isWellFormed()).toBe(true);
  });

  it.each([
    ['reminded', {}, 'A decision is still waiting for you', 'Until 2026-01-15 10:30 UTC.'],
    ['added', { expiresAt: null }, 'You were asked to join a decision', 'It has no deadline.'],
    ['round', { overdue: true }, 'The next round of a decision is waiting for you', 'It was due on 2026-01-15 10:30 UTC and is still open.'],
  ] as const)('%s', (what, more, subject, until) => {
    const message = messageText(what, 'x', { ...item, priority: 'normal', ...more }, 'none', 'https://umpire.example');
    expect([message.subject, message.lines.at(-1)]).toEqual([subject, until]);
  });
});

describe('asked', () => {
  const rules = readJson('{"assignees":{"users":["ann"],"groups":["risk"],"roles":[]},"levels":[{"assignees":{"groups":["board"]}},{"assignees":{"groups":["owners"]}}]}');
  const audience = { users: ['ann', 'bob'], roles: ['legal'] };
  const of = (type: string, data: object) => asked({ type }, member(readJson(JSON.stringify({ data })), 'data'), rules, audience);
  it.each([
    ['opened', {}, { users: ['ann', 'bob'], roles: ['legal'], groups: ['risk'] }],
    ['iterated', {}, { users: ['ann', 'bob'], roles: ['legal'], groups: ['risk'] }],
    ['raised', { level: 2, added: { users: ['eve'], roles: ['vp'] } }, { users: ['eve'], roles: ['vp'], groups: ['owners'] }],
    ['raised', { level: 9, added: { users: [], roles: [] } }, { users: [], roles: [], groups: [] }],
    ['reassigned', { from: 'ann', to: { users: ['eve'], roles: [] } }, { users: ['eve'], roles: [], groups: [] }],
    ['delegated', { from: 'ann', to: 'eve' }, { users: ['eve'], roles: [], groups: [] }],
    ['delegated', { from: 'ann', ended: [0] }, { users: [], roles: [], groups: [] }],
    ['reminded', { cause: 'reminder', waiting_for: { users: ['ann', 'bob'], roles: ['legal'] }, snoozed: ['bob'] }, { users: ['ann'], roles: ['legal'], groups: [] }],
    ['reminded', { cause: 'snooze', user_id: 'bob' }, { users: ['bob'], roles: [], groups: [] }],
  ])('%s %j', (type, data, expected) => expect(of(type, data)).toEqual(expected));

  it('nobody is written to about what is over', () => {
    for (const type of ['resolved', 'expired', 'cancelled', 'consumed', 'claimed', 'commented', 'responded', 'snoozed', 'overdue', 'revised', 'released']) expect(whatOf(type)).toBeNull();
  });
});

describe('readAsked', () => {
  it('tells who has answered the question as it stands', () => {
    const read = readAsked('{"status":"pending","revision":2,"overdue":true,"votes":[{"user_id":"old","revision":1},{"user_id":"new","revision":2}],"prompt":null,"expires_at":"x"}');
    expect(read).toMatchObject({ status: 'pending', answered: ['new'], overdue: true, prompt: null, expiresAt: 'x' });
  });
});
