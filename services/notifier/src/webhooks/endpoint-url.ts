import { UmpireError } from '@umpire/contract';
import { withDeadline } from '@umpire/runtime';
import { AddressRefused, permittedAddresses, type Reachability } from './pinned-connector.ts';

const RESOLVE_MS = 2_000;

/**
 * Checks an endpoint's address when it is given: form, and where it leads now. What a name leads to later is judged again at
 * every connection. A name that does not resolve yet is taken, over https.
 * @returns the address in its normal form
 * @throws UmpireError `invalid` on field `url`
 */
export async function checkEndpointUrl(text: string, reachability: Reachability): Promise<string> {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol)) throw refused('must be an http or https address');
  if (url.username !== '' || url.password !== '') throw refused('credentials do not belong into an address: use a header');
  url.hash = '';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  try {
    await withDeadline(permittedAddresses(host, url.protocol, reachability), RESOLVE_MS, 'name resolution');
  } catch (error) {
    if (error instanceof AddressRefused) throw refused(error.message);
    if (url.protocol === 'http:' && !reachability.allowHttp) throw refused('plain http is allowed only to private addresses that the operator listed');
  }
  return url.href;
}

const refused = (message: string) => new UmpireError('invalid', 'some fields are not valid', { errors: [{ path: 'url', code: 'address_refused', message }] });
