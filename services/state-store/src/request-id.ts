import { LIMITS, parseIdToken, UmpireError } from '@umpire/contract';

/**
 * An id as it stands in a path: percent-encoded (decoded by the router already), or `~<id-token>`. An id that itself begins with
 * `~` must be sent as a token.
 * @throws UmpireError `bad_request`
 */
export function requestIdOf(segment: string): string {
  const id = segment.startsWith('~') ? parseIdToken(segment.slice(1)) : segment;
  if (id === null || id.length === 0 || !id.isWellFormed() || id.includes('\u0000') || Buffer.byteLength(id) > LIMITS.requestId) {
    throw new UmpireError('bad_request', 'the id in the path is not valid: percent-encode it, or send ~ and its base64url');
  }
  return id;
}
