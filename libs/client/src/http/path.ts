import { idToken } from '@umpire/contract';

/** A request id as a path segment: `~` and its base64url, since proxies mangle `%2F` and `..`. */
export const idPath = (requestId: string): string => `~${idToken(requestId)}`;

/** Any other name as a path segment. */
export const namePath = (name: string): string => encodeURIComponent(name);
