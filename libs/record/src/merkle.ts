import { hexOf, sha256 } from './bytes.ts';

const LEAF = Buffer.of(0);
const NODE = Buffer.of(1);

/** The head of one escalation's chain as a checkpoint holds it, and the `seq` of the head sealed before. */
export type ChainHead = { request_id: string; after_seq: number; seq: number; hash: Uint8Array };

/**
 * SHA-256(0x00 ‖ `<after_seq>\n<seq>\n<hash as hex>\n<request id>`). Where the new events begin is sealed too: an export that begins midway
 * could else leave some of them out, or bring older ones in their place.
 */
export const leafOf = ({ request_id, after_seq, seq, hash }: ChainHead): Uint8Array => sha256(LEAF, `${after_seq}\n${seq}\n${hexOf(hash)}\n${request_id}`);

/** A Merkle tree hash (RFC 6962, section 2.1) over leaves as they come, in memory that grows with the logarithm of their number. */
export class MerkleRoot {
  private readonly peaks: { hash: Uint8Array; size: number }[] = [];
  private leaves = 0;

  get size(): number {
    return this.leaves;
  }

  add(leaf: Uint8Array): void {
    let peak = { hash: leaf, size: 1 };
    this.leaves += 1;
    while (this.peaks.at(-1)?.size === peak.size) peak = { hash: sha256(NODE, this.peaks.pop()!.hash, peak.hash), size: 2 * peak.size };
    this.peaks.push(peak);
  }

  /** @returns the root; that of no leaves is SHA-256 of nothing. */
  root(): Uint8Array {
    const last = this.peaks.at(-1);
    if (!last) return sha256();
    return this.peaks.slice(0, -1).reduceRight((right, left) => sha256(NODE, left.hash, right), last.hash);
  }
}

/** The order of heads in a checkpoint: by the UTF-8 bytes of the request id. */
export const compareIds = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** @returns what is sealed, in the order in which a checkpoint holds it */
export const inOrderOfIds = <Sealed extends { request_id: string }>(sealed: readonly Sealed[]): Sealed[] =>
  sealed.map((one) => ({ one, id: Buffer.from(one.request_id) })).sort((a, b) => Buffer.compare(a.id, b.id)).map(({ one }) => one);
