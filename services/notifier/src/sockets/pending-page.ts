const [QUOTE, BACKSLASH, COLON, OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x22, 0x5c, 0x3a, 0x7b, 0x7d, 0x5b, 0x5d];

/** The first page of an inbox. `items` is the JSON text of the array as it came; `seqs` says which version of each it shows. */
export type PendingPage = { total: number; items: Uint8Array; seqs: Map<string, number> };

/**
 * Reads the store's answer to `query.pending`, `{"total":…,"items":[…]}`, in one pass over the bytes and without making anything of
 * the items: each is handed on as it is, and thousands of sockets may come at once.
 * @param bytes JSON, valid since the store wrote it
 * @throws Error when it is not of that form
 */
export function readPending(bytes: Uint8Array): PendingPage {
  const seqs = new Map<string, number>();
  let total: number | null = null;
  let items: Uint8Array | null = null;
  let itemsFrom = 0;
  let depth = 0;
  let requestId: string | null = null;
  let seq: number | null = null;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]!;
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
      if (depth === 2 && byte === OPEN_BRACKET) itemsFrom = at;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth === 3 && byte === CLOSE_BRACE && requestId !== null && seq !== null) seqs.set(requestId, seq);
      if (depth === 3) [requestId, seq] = [null, null];
      if (depth === 2 && byte === CLOSE_BRACKET) items = bytes.subarray(itemsFrom, at + 1);
      depth -= 1;
    } else if (byte === QUOTE) {
      const end = endOfString(bytes, at);
      // Members of the answer stand at depth 1, members of an item at depth 3.
      if (bytes[end] === COLON && (depth === 1 || depth === 3)) {
        const name = textOf(bytes, at, end);
        if (depth === 1 && name === '"total"') total = numberAt(bytes, end + 1);
        else if (depth === 3 && name === '"seq"') seq = numberAt(bytes, end + 1);
        else if (depth === 3 && name === '"request_id"' && bytes[end + 1] === QUOTE) requestId = JSON.parse(textOf(bytes, end + 1, endOfString(bytes, end + 1))) as string;
      }
      at = end - 1;
    }
  }
  if (total === null || items === null) throw new Error('not an answer to query.pending');
  return { total, items, seqs };
}

/** @param at of the opening quote @returns the place behind the closing one */
function endOfString(bytes: Uint8Array, at: number): number {
  for (let end = at + 1; end < bytes.length; end += 1) {
    if (bytes[end] === BACKSLASH) end += 1;
    else if (bytes[end] === QUOTE) return end + 1;
  }
  return bytes.length;
}

const textOf = (bytes: Uint8Array, from: number, to: number): string => Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString();

function numberAt(bytes: Uint8Array, from: number): number | null {
  const digits = /^\d+/.exec(textOf(bytes, from, Math.min(bytes.length, from + 16)));
  return digits ? Number(digits[0]) : null;
}
