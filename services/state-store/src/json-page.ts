const COMMA = 0x2c;

/**
 * Items of JSON as one piece, as they came: nothing of them is made text, and they are copied once.
 * @param before what stands before the first, `after` behind the last
 */
export function jsonPage(before: string, items: readonly Uint8Array[], after: string): Buffer {
  const size = before.length * 3 + after.length * 3 + items.reduce((sum, item) => sum + item.length + 1, 0);
  const page = Buffer.allocUnsafe(size);
  let end = page.write(before, 0);
  for (const [index, item] of items.entries()) {
    if (index > 0) page[end++] = COMMA;
    page.set(item, end);
    end += item.length;
  }
  end += page.write(after, end);
  return page.subarray(0, end);
}
