/**
 * Several byte strings as one: Postgres reads one long value far faster than an array of escaped ones, and `substring(blob from
 * at for length)` gives each back. `at` counts from 1; a length of -1 stands for null.
 */
export type PackedBytes = { blob: Buffer; at: number[]; length: number[] };

export function packBytes(parts: readonly (Uint8Array | null)[]): PackedBytes {
  const at: number[] = [];
  const length: number[] = [];
  let end = 1;
  for (const part of parts) {
    at.push(end);
    length.push(part === null ? -1 : part.length);
    end += part?.length ?? 0;
  }
  return { blob: Buffer.concat(parts.filter((part) => part !== null)), at, length };
}
