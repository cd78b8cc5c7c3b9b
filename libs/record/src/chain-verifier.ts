import { bytesOfHex, hexOf } from './bytes.ts';
import { CHAIN_START, chainHash, saltedDigest } from './chain.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { ChainLine, Erasure, EventLine } from './export-lines.ts';
import type { Findings } from './findings.ts';
import { compareIds, leafOf, MerkleRoot } from './merkle.ts';

type Head = { seq: number; hash: Uint8Array };
type OpenChain = { id: string; line: ChainLine; at: number; head: Head };
/** What of an escalation is gone, until an erasure on record says so. `seq` 0 stands for the payload; `texts`: where one stands without its salt. */
type Gone = { seqs: number[]; texts: number[]; at: number };

/** An event is sealed late if the checkpoint before was made so long after it. */
const LATE_MS = 300_000;

/** Checks the chains of escalations between checkpoints, and that content which is gone was erased on record. */
export class ChainVerifier {
  count = 0;
  events = 0;
  payloads = 0;
  /** Events that were sealed late, and the line of the first. */
  readonly late = { events: 0, line: 0 };
  private readonly findings: Findings;
  private readonly heads = new Map<string, Head>();
  private readonly gone = new Map<string, Gone>();
  private readonly loosePayloads = new Map<string, { digest: string; at: number }>();
  private namespace = '';
  private midway = false;
  private root = new MerkleRoot();
  private sealedEvents = 0;
  private lastId: string | null = null;
  private chain: OpenChain | null = null;
  private openedAt = 0;
  private sealedBefore: number | null = null;
  private erased = 0;

  constructor(findings: Findings) {
    this.findings = findings;
  }

  /** @param midway whether chains may have begun before the export does */
  begin(namespace: string, midway: boolean): void {
    this.namespace = namespace;
    this.midway = midway;
  }

  /** Whether a chain of the present checkpoint has been read. */
  get begun(): boolean {
    return this.lastId !== null;
  }

  /**
   * @param at the line of the checkpoint whose chains follow
   * @param before when the one before it was made, ms since the epoch; null where there is none
   */
  open(at: number, before: number | null): void {
    this.root = new MerkleRoot();
    this.sealedEvents = 0;
    this.lastId = null;
    this.openedAt = at;
    this.sealedBefore = before;
  }

  pushChain(line: ChainLine, at: number): void {
    this.closeChain();
    const where = name(line.request_id);
    const hash = bytesOfHex(line.hash, 32);
    const after = line.after_seq === 0 && line.after_hash === null ? CHAIN_START : bytesOfHex(line.after_hash, 32);
    if (!hash || !after || typeof line.request_id !== 'string' || !Number.isSafeInteger(line.seq) || !Number.isSafeInteger(line.after_seq)) {
      return this.findings.add('unreadable', at, where, 'lacks one of its fields');
    }
    if (this.lastId !== null && compareIds(this.lastId, line.request_id) >= 0) this.findings.add('chain', at, where, `stands behind ${name(this.lastId)}: chains stand in the order of their ids`);
    this.lastId = line.request_id;
    this.checkStart(line, after, at);
    if (line.seq <= line.after_seq) this.findings.add('chain', at, where, 'brings no event: a chain is sealed when it has grown');
    this.root.add(leafOf({ request_id: line.request_id, after_seq: line.after_seq, seq: line.seq, hash }));
    this.sealedEvents += line.seq - line.after_seq;
    this.chain = { id: line.request_id, line, at, head: { seq: line.after_seq, hash: after } };
  }

  pushEvent(event: EventLine, at: number): void {
    const { chain } = this;
    if (!chain) return this.findings.add('out_of_order', at, '', 'an event without a chain before it');
    const where = `${name(chain.id)}, event ${String(event.seq)}`;
    const digests = { actor: bytesOfHex(event.actor_digest, 32), data: bytesOfHex(event.data_digest, 32), hash: bytesOfHex(event.hash, 32) };
    if (!digests.actor || !digests.data || !digests.hash || !Number.isSafeInteger(event.seq)) return this.findings.add('unreadable', at, where, 'lacks one of its fields');
    this.events += 1;
    if (event.seq !== chain.head.seq + 1) this.findings.add('chain', at, where, `follows event ${chain.head.seq}`);
    else {
      const { seq, type, occurred_at } = event;
      const expected = chainHash(chain.head.hash, { namespace: this.namespace, request_id: chain.id, seq, type, occurred_at, actor_digest: digests.actor, data_digest: digests.data });
      if (hexOf(expected) !== event.hash) this.findings.add('event', at, where, 'its hash is not that of its fields: one of them was changed');
    }
    chain.head = { seq: event.seq, hash: digests.hash };
    this.noteLate(event, at);
    this.checkContent(chain.id, event, at, where);
  }

  close({ number, root, chains, events }: Checkpoint): void {
    this.closeChain();
    const where = `checkpoint ${number}`;
    this.lastId = null;
    if (this.root.size !== chains) this.findings.add('root', this.openedAt, where, `seals ${chains} chains; the export has ${this.root.size} here`);
    else if (hexOf(this.root.root()) !== root) this.findings.add('root', this.openedAt, where, 'sealed other chain heads than the export has here');
    else if (this.sealedEvents !== events) this.findings.add('root', this.openedAt, where, `seals ${events} events; the export has ${this.sealedEvents} here`);
  }

  /**
   * @param partial whether the export was cut at a time, so that an erasure may be on record after its end: that cannot be told from content
   * that somebody took away, and is a finding as well
   * @returns how many events have lost content by an erasure on record
   */
  finish(partial: boolean): number {
    const why = partial ? 'an erasure that says so would lie behind the end of this export; check one that reaches the present' : 'no erasure on record says so';
    for (const [id, { at }] of this.loosePayloads) this.findings.add('content_missing', at, name(id), `the event that named its payload is changed, and ${why}`);
    for (const [id, { seqs, at }] of this.gone) {
      this.findings.add('content_missing', at, name(id), `${seqs.map((seq) => (seq === 0 ? 'the payload' : `event ${seq}`)).join(', ')}: gone or changed, and ${why}`);
    }
    return this.erased;
  }

  private checkStart({ request_id, after_seq }: ChainLine, after: Uint8Array, at: number): void {
    const known = this.heads.get(request_id);
    const where = name(request_id);
    if (!known && after_seq > 0 && !this.midway) this.findings.add('chain', at, where, `begins with event ${after_seq + 1}: the events before are missing`);
    if (known && (known.seq !== after_seq || hexOf(known.hash) !== hexOf(after))) this.findings.add('chain', at, where, `goes on after event ${after_seq}; the chain had come to event ${known.seq}`);
    if (!known) this.count += 1;
  }

  private closeChain(): void {
    const { chain } = this;
    this.chain = null;
    if (!chain) return;
    const { seq, hash } = chain.line;
    if (chain.head.seq !== seq) this.findings.add('chain', chain.at, name(chain.id), `ends with event ${chain.head.seq}; event ${seq} is its head`);
    else if (hexOf(chain.head.hash) !== hash) this.findings.add('chain', chain.at, name(chain.id), `event ${seq} is another than the one at its head`);
    this.heads.set(chain.id, { seq, hash: bytesOfHex(hash, 32)! });
  }

  private noteLate({ occurred_at }: EventLine, at: number): void {
    if (this.sealedBefore === null || !(Date.parse(occurred_at) < this.sealedBefore - LATE_MS)) return;
    this.late.events += 1;
    if (this.late.line === 0) this.late.line = at;
  }

  private checkContent(id: string, event: EventLine, at: number, where: string): void {
    if ((event.type === 'opened') !== ('payload' in event)) this.findings.add('unreadable', at, where, 'the payload stands with the event that opened it');
    const missing: number[] = [];
    const actor = fits(event.actor, event.actor_salt, event.actor_digest);
    const data = fits(event.data, event.data_salt, event.data_digest);
    if (actor === false) this.findings.add('content', at, where, 'its actor is not who was recorded');
    if (data === false) this.findings.add('content', at, where, 'its data is not what was recorded');
    if (actor === null || data === null) missing.push(event.seq);
    if (event.type === 'opened') missing.push(...this.checkPayload(id, event, data === true, at, where));
    if (missing.length > 0) {
      const known = this.gone.get(id) ?? { seqs: [], texts: [], at };
      this.gone.set(id, known);
      known.seqs.push(...missing);
      if ((actor === null && event.actor !== null) || (data === null && event.data !== null)) known.texts.push(event.seq);
    }
    if (event.type === 'erased' && data === true) this.recordErasure(id, event);
  }

  /** @returns `[0]` where the payload is gone */
  private checkPayload(id: string, event: EventLine, dataFits: boolean, at: number, where: string): number[] {
    const { payload = null, payload_salt = null } = event;
    if (payload !== null && payload_salt === null) this.findings.add('content', at, where, 'its payload stands without the salt that would prove it');
    if (payload === null || payload_salt === null) return [0];
    const salt = bytesOfHex(payload_salt, 16);
    const digest = salt ? hexOf(saltedDigest(salt, payload)) : '';
    if (!dataFits) {
      // The data that named its digest was changed: the erasure on record names it again.
      this.loosePayloads.set(id, { digest, at });
      return [];
    }
    this.checkPayloadDigest(digest, (JSON.parse(event.data!) as { payload_digest?: unknown }).payload_digest, at, where);
    return [];
  }

  private checkPayloadDigest(digest: string, recorded: unknown, at: number, where: string): void {
    if (digest === recorded) this.payloads += 1;
    else this.findings.add('content', at, where, 'its payload is not what was recorded');
  }

  private recordErasure(id: string, event: EventLine): void {
    const { erasure } = JSON.parse(event.data!) as { erasure?: Erasure };
    const loose = this.loosePayloads.get(id);
    if (loose && erasure?.payload_digest !== undefined) {
      this.loosePayloads.delete(id);
      this.checkPayloadDigest(loose.digest, erasure.payload_digest, loose.at, name(id));
    }
    const known = this.gone.get(id);
    if (!known || !erasure) return;
    const named = Array.isArray(erasure.events) ? new Set(erasure.events) : null;
    const covers = (seq: number) => (seq === 0 ? erasure.payload : seq < event.seq && (named === null ? erasure.events === 'all' : named.has(seq)));
    const left = known.seqs.filter((seq) => !covers(seq));
    const unproved = named === null ? known.texts.filter(covers) : [];
    if (unproved.length > 0) this.findings.add('content', known.at, name(id), `${unproved.map((seq) => `event ${seq}`).join(', ')}: a text stands where all was erased`);
    this.erased += known.seqs.filter((seq) => seq > 0 && covers(seq)).length;
    if (left.length === 0) this.gone.delete(id);
    else known.seqs = left;
  }
}

/** @returns whether content has the digest; null where it cannot be told: the salt is gone */
function fits(text: string | null, salt: string | null, digest: string): boolean | null {
  if (text === null || salt === null) return null;
  const bytes = bytesOfHex(salt, 16);
  return bytes !== null && hexOf(saltedDigest(bytes, text)) === digest;
}

const name = (id: unknown): string => `escalation ${JSON.stringify(id)}`;
