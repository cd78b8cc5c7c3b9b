import { describe, expect, it } from 'vitest';
import { AddressPolicy, parseAllowedRanges } from './address-policy.ts';
import { NameResolver } from './name-resolver.ts';
import { permittedAddresses } from './pinned-connector.ts';

const policyOf = (text: string) => {
  const parsed = parseAllowedRanges(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return new AddressPolicy(parsed.value);
};

const REFUSED = [
  // this host, private, shared, loopback, link-local (cloud metadata), documentation, benchmarking, multicast, reserved, broadcast
  '0.0.0.0', '0.1.2.3', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.1.2.3', '169.254.169.254',
  '192.0.0.1', '192.0.2.1', '198.51.100.1', '203.0.113.1', '198.18.0.1', '198.19.255.255', '224.0.0.1', '239.1.1.1', '240.0.0.1', '255.255.255.255',
  '::', '::1', 'fe80::1', 'fe80::1%eth0', 'fc00::1', 'fd12:3456::1', 'ff02::1', 'fec0::1', '2001:db8::1', '100::1',
  // what wraps another address
  '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:a9fe:a9fe', '::ffff:10.0.0.1', '0:0:0:0:0:ffff:c0a8:0101', '::127.0.0.1', '64:ff9b::7f00:1', '64:ff9b::808:808',
  '64:ff9b:1::1', '2002:7f00:1::1', '2001::1', '::ffff:0:7f00:1',
  // not allotted
  '4000::1', 'a000::1', '5f00::1',
  'localhost', '', 'not an address', '1.2.3.4.5',
];
const PUBLIC = ['1.1.1.1', '8.8.8.8', '93.184.216.34', '172.32.0.1', '100.128.0.1', '192.169.0.1', '2606:4700:4700::1111', '2a00:1450:4001:81b::200e', '::ffff:8.8.8.8'];

describe('AddressPolicy', () => {
  it.each(REFUSED)('refuses %j', (address) => expect(policyOf('').judge(address)).toBe('refused'));
  it.each(PUBLIC)('takes %j', (address) => expect(policyOf('').judge(address)).toBe('public'));

  it('allows exactly the private ranges that were listed', () => {
    const policy = policyOf('loopback, 10.1.0.0/16,fd00::/8');
    for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '10.1.2.3', 'fd00::5']) expect(policy.judge(address)).toBe('allowed_private');
    for (const address of ['10.2.0.1', '192.168.0.1', '169.254.169.254', 'fe80::1', '64:ff9b::7f00:1']) expect(policy.judge(address)).toBe('refused');
  });

  it.each(['10.0.0.0', 'loopbak', '10.0.0.0/33', '300.0.0.0/8'])('does not start with %j', (text) => expect(parseAllowedRanges(text).ok).toBe(false));
});

describe('permittedAddresses', () => {
  const resolver = (addresses: string[]) => new NameResolver(() => Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))));
  const reach = (addresses: string[], allow = '', allowHttp = false) => ({ policy: policyOf(allow), resolver: resolver(addresses), allowHttp });

  it('refuses a name if any of its addresses is not public', async () => {
    await expect(permittedAddresses('x.example', 'https:', reach(['8.8.8.8', '1.1.1.1']))).resolves.toHaveLength(2);
    await expect(permittedAddresses('x.example', 'https:', reach(['8.8.8.8', '10.0.0.1']))).rejects.toThrow('not public');
    await expect(permittedAddresses('x.example', 'https:', reach(['2606:4700::1', '::ffff:a9fe:a9fe']))).rejects.toThrow('not public');
    await expect(permittedAddresses('x.example', 'https:', reach([]))).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  it('keeps plain http within the allowed private network', async () => {
    await expect(permittedAddresses('x.example', 'http:', reach(['8.8.8.8']))).rejects.toThrow('plain http');
    await expect(permittedAddresses('x.example', 'http:', reach(['8.8.8.8'], '', true))).resolves.toHaveLength(1);
    await expect(permittedAddresses('x.example', 'http:', reach(['127.0.0.1'], 'loopback'))).resolves.toHaveLength(1);
  });

  it.each(['http://2130706433/', 'http://0x7f000001/', 'http://0177.0.0.1/', 'http://127.1/', 'http://0x7f.1/', 'http://[::ffff:127.0.0.1]/', 'http://[::ffff:7f00:1]/', 'http://[0:0:0:0:0:0:0:1]/', 'http://①②⑦.0.0.1/', 'http://127.0.0.1./'])(
    'refuses %s, as a connection would see its host',
    async (text) => {
      const host = new URL(text).hostname.replaceAll(/^\[|\]$/g, '');
      await expect(permittedAddresses(host, 'https:', reach(['127.0.0.1']))).rejects.toThrow('not public');
    },
  );
});

describe('NameResolver', () => {
  it('keeps hosts that drag in one lane, so that the shared threads stay free', async () => {
    const waiting = new Map<string, (addresses: { address: string; family: number }[]) => void>();
    const started: string[] = [];
    const resolver = new NameResolver((host) => {
      started.push(host);
      return new Promise((resolve) => waiting.set(host, resolve));
    });
    const answer = (host: string, addresses: string[]) => waiting.get(host)!(addresses.map((address) => ({ address, family: 4 })));
    const first = ['bad1', 'bad2'].map((host) => resolver.resolve(host));
    answer('bad1', []);
    answer('bad2', []);
    await Promise.all(first);
    const again = ['bad1', 'bad2', 'good', 'good'].map((host) => resolver.resolve(host));
    await Promise.resolve();
    expect(started.slice(2)).toEqual(['good', 'bad1']);
    answer('good', ['8.8.8.8']);
    await expect(again[2]).resolves.toHaveLength(1);
    answer('bad1', ['8.8.8.8']);
    await again[0];
    await new Promise((resolve) => setImmediate(resolve));
    expect(started.slice(4)).toEqual(['bad2']);
    answer('bad2', ['8.8.8.8']);
    await Promise.all(again);
  });
});
