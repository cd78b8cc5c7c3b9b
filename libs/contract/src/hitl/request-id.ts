import { encodeUtf8 } from '../json/utf8.ts';
import { LIMITS } from '../reasons.ts';

/**
 * Why a text cannot be a request id, or null if it can. Ids are opaque: any Unicode, spaces and slashes, up to 512 bytes
 * of UTF-8; no NUL (Postgres cannot hold it), no lone surrogate (UTF-8 cannot), and not blank.
 */
export function requestIdProblem(id: string): string | null {
  if (id.length > LIMITS.requestId || (id.length * 3 > LIMITS.requestId && encodeUtf8(id).length > LIMITS.requestId)) {
    return `is longer than ${LIMITS.requestId} bytes of UTF-8`;
  }
  if (id.includes('\0')) {
    return 'holds a NUL';
  }
  return id.isWellFormed() ? null : 'holds a lone surrogate';
}
