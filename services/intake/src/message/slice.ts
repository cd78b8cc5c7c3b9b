import type { JsonNode } from '@umpire/contract';

/**
 * The bytes that a node was read from, uncopied.
 * @param text what `decodeUtf8(bytes)` gave and the node was read from
 */
export function bytesOf(node: JsonNode, text: string, bytes: Uint8Array): Uint8Array {
  if (text.length === bytes.length) return bytes.subarray(node.start, node.end);
  const start = Buffer.byteLength(text.slice(0, node.start));
  return bytes.subarray(start, start + Buffer.byteLength(text.slice(node.start, node.end)));
}
