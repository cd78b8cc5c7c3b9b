const COMMA = Buffer.from(',');

/**
 * Items of JSON as one piece, as they came: nothing of them is made text, and they are copied once.
 * @param before what stands before the first, `after` behind the last
 */
export function jsonPage(before: string, items: readonly Uint8Array[], after: string): Buffer {
  return Buffer.concat([Buffer.from(before), ...items.flatMap((item, index) => (index === 0 ? [item] : [COMMA, item])), Buffer.from(after)]);
}
