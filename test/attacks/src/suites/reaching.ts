import { eventually } from '@umpire/testing';
import { describe, expect, it } from 'vitest';
import { readDeadLetters } from '../../../e2e/src/operator.ts';
import type { Arena } from '../arena.ts';

/** Private hosts in every spelling; loopback itself is allowed in a local run. */
const PRIVATE = [
  'http://10.0.0.1/', 'http://169.254.169.254/latest/meta-data/', 'https://169.254.169.254/', 'http://[::ffff:10.0.0.1]/', 'http://[::ffff:a9fe:a9fe]/', 'http://[::ffff:0a00:0001]/', 'http://[64:ff9b::a9fe:a9fe]/',
  'http://2852039166/', 'http://0xa9fea9fe/', 'http://0xa9.0xfe.0xa9.0xfe/', 'http://0251.0376.0251.0376/', 'http://167772161/', 'http://0x0a000001/', 'http://012.0.0.1/', 'http://10.1/', 'http://[fe80::1%25eth0]/', 'http://[fe80::1]/',
  'http://[fd00::1]/', 'http://0.0.0.0/', 'http://[::]/', 'http://255.255.255.255/', 'http://224.0.0.1/', 'http://192.168.0.1./', 'http://①⓪.0.0.1/', 'http://[2002:a00:1::1]/', 'http://100.64.0.1/',
];
const NOT_HTTP = ['file:///etc/passwd', 'gopher://127.0.0.1:6379/_FLUSHALL', 'ftp://127.0.0.1/', 'data:text/plain,x', 'javascript:alert(1)', 'nats://127.0.0.1:4222', 'http://user:pass@127.0.0.1/', 'http://', '//127.0.0.1/', 'http:///x'];

const interaction = (id: string, resume: object) => ({ type: 'hitl_interaction', payload: { interaction_id: id, pipeline_name: 'p', step_name: 's', data: {} }, interaction: { assignees: { users: ['alice'] }, resume } });

export function reaching(at: () => Arena): void {
  describe('the service as a way to elsewhere', () => {
    it.each([...PRIVATE, ...NOT_HTTP])('does not take %s for an endpoint or a channel', async (url) => {
      const { stack, keys } = at();
      for (const [path, body] of [['/webhooks/endpoints', { url }], ['/webhooks/channels', { kind: 'slack', url, owner_kind: 'user', owner: 'x' }]] as const) {
        const { status, body: problem } = await stack.post(path, keys.admin, body);
        expect([path, url, status, problem.errors?.[0]?.path]).toEqual([path, url, 422, 'url']);
      }
    });

    it('does not call back to a host that the namespace has not allowed, nor to a private one that it has', async () => {
      const { stack, keys } = at();
      expect((await stack.request('PUT', '/webhooks/callbacks', keys.admin, { allowed_hosts: ['10.0.0.1', '169.254.169.254', 'metadata.internal'] })).status).toBe(200);
      for (const [id, callback_url] of [['cb-private', 'http://169.254.169.254/latest'], ['cb-elsewhere', `${at().receiver.origin}/never`], ['cb-dressed', 'http://169.254.169.254@127.0.0.1/'], ['cb-decimal', 'http://2852039166/']]) {
        expect([id, [202, 422]]).toEqual([id, expect.arrayContaining([(await stack.post('/api/escalations', keys.producer, interaction(id!, { callback_url }))).status])]);
        await stack.request('POST', `/hitl/escalations/${id}/cancel`, keys.producer, {});
      }
      // What was settled later is heard of later: this one's callback comes after theirs would have.
      await stack.request('PUT', '/webhooks/callbacks', keys.admin, { allowed_hosts: ['127.0.0.1'] });
      await stack.post('/api/escalations', keys.producer, interaction('cb-good', { callback_url: `${at().receiver.origin}/good` }));
      await stack.request('POST', '/hitl/escalations/cb-good/cancel', keys.producer, {});
      await eventually('the good callback', () => at().receiver.received.find(({ path }) => path === '/good'), 60_000);
      expect(at().receiver.received.filter(({ path }) => path === '/never' || path === '/')).toEqual([]);
    });

    it('does not answer on subjects that are not the producer\'s own', async () => {
      const { stack, keys } = at();
      for (const reply_subject of ['hitl.team-b.reply.x', 'hitl.default.outcome.low_confidence', 'hitl.*.reply.x', 'hitl.default.reply.>', 'hitl.default.reply.a b', 'hitl.default.reply.a\r\nPUB x', '$JS.API.STREAM.DELETE.HITL_EVENTS', '_INBOX.svc.intake.x', 'hitl.default.reply.', 'hitl.default.reply..x']) {
        const answer = await stack.post('/api/escalations', keys.producer, interaction(`reply-${reply_subject}`, { reply_subject }));
        expect([reply_subject, answer.status, answer.body.errors?.[0]?.path]).toEqual([reply_subject, 422, 'interaction.resume.reply_subject']);
      }
      const { nats } = await stack.producer();
      const { nats: other } = await stack.producer('team-b');
      const heard: string[] = [];
      for (const subject of ['_INBOX.ns.team-b.>', 'hitl.team-b.reply.>', 'hitl.team-b.settled.*']) other.subscribe(subject, { callback: (_, message) => void heard.push(message.subject) });
      await other.flush();
      const { headers } = await import('@nats-io/transport-node');
      for (const aim of ['_INBOX.ns.team-b.x', '_INBOX.svc.state-store.x', 'hitl.team-b.reply.x', 'umpire.store.apply', '$JS.API.STREAM.PURGE.HITL_EVENTS', '_INBOX.ns.default.*', '_INBOX.ns.default.>']) {
        const set = headers();
        set.set('Umpire-Reply-To', aim);
        nats.publish('hitl.default.review.low_confidence', `{"aimed":${JSON.stringify(aim)}}`, { headers: set });
      }
      await nats.flush();
      await eventually('all were refused', async () => (await readDeadLetters(stack)).filter(({ original }) => Buffer.from(original, 'base64').toString().includes('"aimed"')).length >= 7);
      await other.flush();
      expect(heard).toEqual([]);
    });

    it('does not take frames that are too large, on a socket or over NATS', async () => {
      const { stack, keys } = at();
      const socket = await at().socket('alice', { authorization: `Bearer ${keys.alice}` });
      socket.ws.send('x'.repeat(5_000));
      await eventually('the socket was closed', () => socket.closed() === 1009);
      const { js, nats } = await stack.producer();
      await expect(js.publish('hitl.default.review.low_confidence', 'x'.repeat(300 * 1024))).rejects.toThrow();
      expect(() => nats.publish('hitl.default.review.low_confidence', 'x'.repeat(2 * 1024 * 1024))).toThrow(/payload/i);
      expect((await stack.post('/api/escalations', keys.producer, ' '.repeat(300 * 1024))).status).toBe(413);
      expect((await stack.post('/hitl/respond', keys.alice, { interaction_id: 'x', user_input: { text: 'x'.repeat(70 * 1024) } })).status).toBe(413);
    });
  });
}
