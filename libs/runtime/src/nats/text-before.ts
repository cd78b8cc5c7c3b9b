/**
 * What stands in a JSON message before the first `,"name":`, for readers that do not want the large member that comes then. The rest is not decoded,
 * so neither its UTF-8 nor its JSON is checked. Inside a JSON string a quote never stands bare, so what is found in JSON is a member; where it stands,
 * only the brackets tell: the caller closes those that it expects open, and reads the message whole where that gives no JSON.
 * @returns null where there is none
 * @throws TypeError for what is no UTF-8 before it
 */
export function textBefore(bytes: Uint8Array, name: string): string | null {
  const end = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(`,"${name}":`);
  return end < 0 ? null : decoder.decode(bytes.subarray(0, end));
}

const decoder = new TextDecoder('utf-8', { fatal: true });
