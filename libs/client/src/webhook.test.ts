import { describe, expect, it } from 'vitest';
import { verifySignature, verifyWebhook } from './webhook.ts';

/** The reference vector of Standard Webhooks. */
const vector = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  headers: { 'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek', 'webhook-timestamp': '1614265330', 'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=' },
  body: '{"test": 2432232314}',
  now: 1_614_265_330_000,
};
const other = `whsec_${btoa('another secret of thirty-two byte')}`;
const refused = (code: string) => expect.objectContaining({ name: 'UmpireError', code });

describe('a webhook\'s signature', () => {
  const { secret, headers, body, now } = vector;
  const signature = headers['webhook-signature'];

  it('is that of the published vector', () => {
    verifySignature(body, headers, secret, { now });
    verifySignature(new TextEncoder().encode(body), new Headers(headers), secret.replace('whsec_', ''), { now });
    expect(() => verifySignature(`${body} `, headers, secret, { now })).toThrow(refused('unauthenticated'));
  });

  it.each([
    ['one of several signatures', { ...headers, 'webhook-signature': `v1,${btoa('x'.repeat(32))} v2,whatever ${signature}` }, secret],
    ['one of several secrets', headers, [other, secret]],
    ['headers in any spelling, as lists', { 'Webhook-Id': [headers['webhook-id']], 'WEBHOOK-TIMESTAMP': headers['webhook-timestamp'], 'Webhook-Signature': signature }, secret],
  ])('is found among %s', (_, given, secrets) => {
    expect(() => verifySignature(body, given, secrets, { now })).not.toThrow();
  });

  it.each<[string, Record<string, string | undefined>, string | string[], number]>([
    ['of another secret', headers, other, now],
    ['of no secret at all', headers, [], now],
    ['of another version', { ...headers, 'webhook-signature': signature.replace('v1', 'v1a') }, secret, now],
    ['cut short', { ...headers, 'webhook-signature': 'v1,g0hM9SsE' }, secret, now],
    ['empty', { ...headers, 'webhook-signature': 'v1,' }, secret, now],
    ['no base64', { ...headers, 'webhook-signature': 'v1,%%%' }, secret, now],
    ['for another id', { ...headers, 'webhook-id': 'msg_other' }, secret, now],
    ['for another time', { ...headers, 'webhook-timestamp': '1614265331' }, secret, now],
    ['too old', headers, secret, now + 301_000],
    ['too far ahead', headers, secret, now - 301_000],
    ['without a time', { ...headers, 'webhook-timestamp': 'soon' }, secret, now],
    ['missing', { ...headers, 'webhook-signature': undefined }, secret, now],
  ])('is refused when it is %s', (_, given, secrets, at) => {
    expect(() => verifySignature(body, given, secrets, { now: at })).toThrow(refused('unauthenticated'));
  });

  it('keeps to the tolerance that the receiver sets', () => {
    expect(() => verifySignature(body, headers, secret, { now: now + 301_000, toleranceSeconds: 302 })).not.toThrow();
    expect(() => verifySignature(body, headers, secret, { now: now + 20_000, toleranceSeconds: 10 })).toThrow(refused('unauthenticated'));
  });

  it('tells a receiver\'s bad secret from a sender\'s bad signature', () => {
    expect(() => verifySignature(body, headers, 'whsec_short', { now })).toThrow(refused('bad_request'));
  });

  it('says of a signed body that is no event what it is', () => {
    expect(() => verifyWebhook(body, headers, secret, { now })).toThrow(refused('bad_request'));
  });
});
