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

/**
 * The object that stands before the first `,"name":`, of a message that is an object whose member `name` is.
 * @returns null where what stands there, closed by one bracket, is no object: the message is read whole then
 */
export function objectBefore(bytes: Uint8Array, name: string): Record<string, unknown> | null {
  try {
    const text = textBefore(bytes, name);
    const object: unknown = text === null ? null : JSON.parse(`${text}}`);
    return typeof object === 'object' && !Array.isArray(object) ? (object as Record<string, unknown> | null) : null;
  } catch {
    return null;
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true });
