/** Statuses of the deprecated review forms. */
export type HumanReviewStatus = 'pending' | 'in_progress' | 'completed' | 'expired' | 'cancelled';

/** An escalation's state in the old words: one that somebody has claimed reads `in_progress`. */
export function humanReviewStatus(state: 'pending' | 'completed' | 'expired' | 'cancelled', claimed: boolean): HumanReviewStatus {
  return state === 'pending' && claimed ? 'in_progress' : state;
}

/**
 * Headers of an answer to a deprecated form (RFC 9745): since when it is deprecated, and where its successor is described.
 *
 * @param documentation URL or path of the page about the successor.
 */
export function deprecationHeaders(documentation: string): Readonly<Record<'deprecation' | 'link', string>> {
  return { deprecation: `@${LEGACY_DEPRECATED_SINCE}`, link: `<${documentation}>; rel="deprecation"; type="text/html"` };
}

/** 2026-01-01T00:00:00Z in seconds: before the first release, so these forms have never been anything else. */
const LEGACY_DEPRECATED_SINCE = 1_767_225_600;
