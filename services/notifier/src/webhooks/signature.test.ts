import { Webhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { describe, expect, it } from 'vitest';
import { newSecret, parseSecret, secretText, signatureHeaders, signingKey } from './signature.ts';

describe('signatureHeaders', () => {
  it('gives the published reference vector of Standard Webhooks', () => {
    const secret = parseSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')!;
    expect(signatureHeaders('msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330, Buffer.from('{"test": 2432232314}'), [signingKey(secret)])).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('is accepted by both verifiers under each of two secrets, and by neither under a third', () => {
    const [first, second, third] = [newSecret(), newSecret(), newSecret()] as const;
    const body = '{"event":"test","text":"naïve 審査 😀"}';
    const headers = signatureHeaders('0192f0c1-1111-7abc-8def-000000000001', Math.floor(Date.now() / 1000), Buffer.from(body), [first, second].map(signingKey));
    for (const secret of [first, second]) {
      expect(new Webhook(secretText(secret)).verify(body, headers)).toEqual(JSON.parse(body));
      expect(() => new SvixWebhook(secretText(secret)).verify(body, headers)).not.toThrow();
    }
    expect(() => new Webhook(secretText(third)).verify(body, headers)).toThrow('No matching signature');
    expect(() => new Webhook(secretText(first)).verify(`${body} `, headers)).toThrow('No matching signature');
  });
});

describe('parseSecret', () => {
  it('reads what secretText writes', () => {
    const secret = newSecret();
    expect(secret).toHaveLength(32);
    expect(parseSecret(secretText(secret))).toEqual(secret);
  });

  it.each(['', 'whsec_', 'whsec_short', 'whsec_!!!!', `whsec_${Buffer.alloc(23).toString('base64')}`, `whsec_${Buffer.alloc(65).toString('base64')}`])('refuses %j', (text) => {
    expect(parseSecret(text)).toBeNull();
  });
});
