const COMMA = Buffer.from(',');

/** Items of JSON as they came, and the page that is sent of them: nothing of them is made text. */
export class JsonPage {
  private parts: readonly Uint8Array[];
  private made: { before: string; after: string; bytes: Buffer } | null = null;

  constructor(items: readonly Uint8Array[]) {
    this.parts = items;
  }

  get items(): readonly Uint8Array[] {
    return this.parts;
  }

  /**
   * The page as one piece. Who asks for the same again gets the same piece: a page of 100 kB that is copied for each reader has V8
   * collect its old generation every second for the memory outside of it.
   * @param before what stands before the first, `after` behind the last
   */
  within(before: string, after: string): Buffer {
    if (this.made?.before === before && this.made.after === after) return this.made.bytes;
    const bytes = Buffer.concat([Buffer.from(before), ...this.parts.flatMap((item, index) => (index === 0 ? [item] : [COMMA, item])), Buffer.from(after)]);
    // What the items were parts of is let go.
    let end = Buffer.byteLength(before) - COMMA.length;
    this.parts = this.parts.map((item) => bytes.subarray(end + COMMA.length, (end += COMMA.length + item.length)));
    this.made = { before, after, bytes };
    return bytes;
  }
}
