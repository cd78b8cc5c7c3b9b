import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type AddressRange = [Address, number];

const LOOPBACK = ['127.0.0.0/8', '::1/128'];
/** Global unicast is allotted from here alone (IANA, "IPv6 Address Space"). */
const GLOBAL_UNICAST_V6: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3];

/** Reads the value of `UMPIRE_WEBHOOK_ALLOW_PRIVATE`: CIDRs and the word `loopback`, comma separated. */
export function parseAllowedRanges(text: string): { ok: true; value: AddressRange[] } | { ok: false; error: string } {
  const words = text.split(',').map((word) => word.trim()).filter((word) => word !== '');
  const cidrs = words.flatMap((word) => (word === 'loopback' ? LOOPBACK : [word]));
  const bad = cidrs.find((cidr) => !ipaddr.isValidCIDR(cidr));
  if (bad !== undefined) return { ok: false, error: `"${bad}" is neither a CIDR nor the word loopback` };
  return { ok: true, value: cidrs.map((cidr) => ipaddr.parseCIDR(cidr)) };
}

export type AddressVerdict = 'public' | 'allowed_private' | 'refused';

/**
 * Which addresses webhooks may go to: public unicast ones, and private ones that the operator listed. What only wraps another
 * address (IPv4-mapped, NAT64, 6to4, Teredo) is judged as refused, or, if mapped, as what it wraps.
 */
export class AddressPolicy {
  private readonly allowed: AddressRange[];

  constructor(allowed: AddressRange[]) {
    this.allowed = allowed;
  }

  /** @param text an IPv4 or IPv6 address, with or without a zone */
  judge(text: string): AddressVerdict {
    if (!ipaddr.isValid(text)) return 'refused';
    const parsed = ipaddr.parse(text);
    const address = parsed.kind() === 'ipv6' && (parsed as ipaddr.IPv6).isIPv4MappedAddress() ? (parsed as ipaddr.IPv6).toIPv4Address() : parsed;
    if (this.allowed.some(([network, bits]) => network.kind() === address.kind() && (address as ipaddr.IPv4).match(network as ipaddr.IPv4, bits))) return 'allowed_private';
    if (address.range() !== 'unicast') return 'refused';
    return address.kind() === 'ipv4' || (address as ipaddr.IPv6).match(GLOBAL_UNICAST_V6) ? 'public' : 'refused';
  }
}
