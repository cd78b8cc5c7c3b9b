import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import type { AddressPolicy } from './address-policy.ts';
import type { NameResolver } from './name-resolver.ts';

/** The target's address is not one that webhooks may go to. The message never tells the address to a tenant. */
export class AddressRefused extends Error {
  readonly code = 'ADDRESS_REFUSED';
}

export type Reachability = { policy: AddressPolicy; resolver: NameResolver; allowHttp: boolean };

/**
 * Resolves a host and judges every address it has.
 * @param host a name, or a literal address without brackets
 * @returns the addresses, all of them permitted
 * @throws AddressRefused if any is not, or plain http would leave the private network; the resolver's error if there are none
 */
export async function permittedAddresses(host: string, protocol: string, { policy, resolver, allowHttp }: Reachability) {
  const addresses = isIP(host) ? [{ address: host, family: isIP(host) }] : await resolver.resolve(host);
  if (addresses.length === 0) throw Object.assign(new Error('the name has no address'), { code: 'ENOTFOUND' });
  for (const { address } of addresses) {
    const verdict = policy.judge(address);
    if (verdict === 'refused') throw new AddressRefused('the host has an address that is not public');
    if (verdict === 'public' && protocol === 'http:' && !allowHttp) throw new AddressRefused('plain http is not allowed to public addresses');
  }
  return addresses;
}

/**
 * A connector for undici that judges addresses at connect time and connects to exactly those it judged: a name that resolves
 * otherwise a moment later (DNS rebinding) changes nothing. TLS is verified against the name.
 */
export function pinnedConnector(reachability: Reachability, timeoutMs: number): buildConnector.connector {
  const connectors = new Map(['http:', 'https:'].map((protocol) => [protocol, buildConnector({ timeout: timeoutMs, allowH2: false, autoSelectFamily: true, lookup: judgedLookup(protocol, reachability) })]));
  return (options, callback) => {
    const connect = connectors.get(options.protocol);
    if (!connect) return callback(new AddressRefused('only http and https'), null);
    // Node looks up names only: a literal address is judged here.
    if (isIP(options.hostname) === 0) return void connect(options, callback);
    permittedAddresses(options.hostname, options.protocol, reachability).then(() => connect(options, callback), (error: Error) => callback(error, null));
  };
}

function judgedLookup(protocol: string, reachability: Reachability): LookupFunction {
  return (host, options, callback) => {
    permittedAddresses(host, protocol, reachability).then(
      (addresses) => (options.all ? callback(null, addresses) : callback(null, addresses[0]!.address, addresses[0]!.family)),
      (error: NodeJS.ErrnoException) => callback(error, '', 0),
    );
  };
}
