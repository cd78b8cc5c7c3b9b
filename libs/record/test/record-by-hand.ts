import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { hexOf } from '../src/bytes.ts';
import { CHAIN_START, chainHash, logHash, saltedDigest } from '../src/chain.ts';
import { CHECKPOINT_TYP, checkpointDigest, EXPORT_TYP, type Checkpoint, type ExportStatement } from '../src/checkpoint.ts';
import type { ChainLine, Erasure, EventLine, ExportLine, LogLine } from '../src/export-lines.ts';
import { signCompact, thumbprint } from '../src/jws.ts';
import { compareIds, leafOf, MerkleRoot } from '../src/merkle.ts';

const { privateKey } = generateKeyPairSync('ed25519');
const { x } = privateKey.export({ format: 'jwk' }) as { x: string };
const kid = thumbprint(x);
export const JWKS = { keys: [{ kty: 'OKP', crv: 'Ed25519', x, kid }] };
export const sign = (typ: string, payload: object) => signCompact(typ, JSON.stringify(payload), kid, privateKey);
/** A time of a minute of the record. */
export const at = (minute: number) => new Date(Date.UTC(2026, 0, 15, 10, minute)).toISOString();

type Head = { seq: number; hash: string };
type Round = { jws: string; checkpoint: Checkpoint; log: LogLine[]; chains: { line: ChainLine; events: EventLine[] }[] };

/** A namespace's record, made by hand: each round is sealed by a checkpoint, a minute after the one before. */
export class RecordByHand {
  readonly rounds: Round[] = [];
  private readonly heads = new Map<string, Head>();
  private log = { number: 0, hash: hexOf(CHAIN_START) };

  /** @param grown how many events each escalation grows by, or what they say; `entries` of the log */
  seal(grown: { [id: string]: number | object[] }, entries = 0, minute = this.rounds.length): this {
    const log = Array.from({ length: entries }, () => this.entry());
    const chains = Object.keys(grown).sort(compareIds).map((id) => this.grow(id, grown[id]!, minute));
    const tree = new MerkleRoot();
    for (const { line } of chains) tree.add(leafOf({ ...line, hash: Buffer.from(line.hash, 'hex') }));
    const previous = this.rounds.at(-1);
    const checkpoint: Checkpoint = {
      v: 1, namespace: 'default', number: this.rounds.length + 1, previous: previous ? checkpointDigest(previous.jws) : null, at: at(this.rounds.length),
      chains: chains.length, events: chains.reduce((sum, { events }) => sum + events.length, 0), root: hexOf(tree.root()), log: { ...this.log },
    };
    this.rounds.push({ jws: sign(CHECKPOINT_TYP, checkpoint), checkpoint, log, chains });
    return this;
  }

  /** @param first number of the checkpoint to begin with */
  lines(first = 1, more: Partial<ExportStatement> = {}): ExportLine[] {
    const last = this.rounds.at(-1)!;
    const statement: ExportStatement = {
      v: 1, namespace: 'default', at: last.checkpoint.at, since: first === 1 ? null : this.rounds[first - 1]!.checkpoint.at, until: null, first, last: last.checkpoint.number,
      last_digest: checkpointDigest(last.jws), before: this.rounds[first - 2]?.jws ?? null, ...more,
    };
    return [
      { kind: 'export', jws: sign(EXPORT_TYP, statement) }, { kind: 'keys', keys: [] },
      ...this.rounds.slice(first - 1).flatMap(({ jws, log, chains }): ExportLine[] => [{ kind: 'checkpoint', jws }, ...log, ...chains.flatMap(({ line, events }) => [line, ...events])]),
    ];
  }

  private grow(id: string, grown: number | object[], minute: number): Round['chains'][number] {
    const before = this.heads.get(id) ?? { seq: 0, hash: hexOf(CHAIN_START) };
    const said = typeof grown === 'number' ? Array.from({ length: grown }, () => ({})) : grown;
    let head = before;
    const events = said.map((data) => {
      const event = eventAfter(id, head, data, minute);
      head = { seq: event.seq, hash: event.hash };
      return event;
    });
    this.heads.set(id, head);
    return { line: { kind: 'chain', request_id: id, after_seq: before.seq, after_hash: before.seq === 0 ? null : before.hash, ...head }, events };
  }

  private entry(): LogLine {
    const { salt, digest } = salted('{"by":"ann"}');
    const line = { kind: 'log' as const, number: this.log.number + 1, at: at(0), entry_kind: 'export', entry: '{"by":"ann"}', salt, digest };
    const hash = hexOf(logHash(Buffer.from(this.log.hash, 'hex'), { namespace: 'default', number: line.number, at: line.at, kind: 'export', digest: Buffer.from(digest, 'hex') }));
    this.log = { number: line.number, hash };
    return { ...line, hash };
  }
}

function salted(text: string): { salt: string; digest: string } {
  const salt = randomBytes(16);
  return { salt: salt.toString('hex'), digest: hexOf(saltedDigest(salt, text)) };
}

function eventAfter(id: string, head: Head, said: object, minute: number): EventLine {
  const seq = head.seq + 1;
  const payload = salted('{"summary":"paid"}');
  const data = JSON.stringify(seq === 1 ? { ...said, payload_digest: payload.digest } : said);
  const [actor, content] = [salted('{"id":"ann"}'), salted(data)];
  const fields = { seq, type: seq === 1 ? 'opened' : 'erasure' in said ? 'erased' : 'commented', occurred_at: at(minute) };
  const hash = chainHash(Buffer.from(head.hash, 'hex'), { namespace: 'default', request_id: id, ...fields, actor_digest: Buffer.from(actor.digest, 'hex'), data_digest: Buffer.from(content.digest, 'hex') });
  return {
    kind: 'event', ...fields, actor: '{"id":"ann"}', actor_salt: actor.salt, actor_digest: actor.digest, data, data_salt: content.salt, data_digest: content.digest, hash: hexOf(hash),
    ...(seq === 1 ? { payload: '{"summary":"paid"}', payload_salt: payload.salt } : {}),
  };
}

export const erasure = (scope: Erasure['scope'], events: Erasure['events']): object => ({ erasure: { scope, events, payload: events === 'all' } satisfies Erasure });
/** Content taken away, or `text` put in its place, as the store does it: the salt goes. */
export const without = (event: ExportLine, text: string | null = null): ExportLine => ({
  ...(event as EventLine), actor: text, actor_salt: null, data: text, data_salt: null, ...('payload' in event && text === null ? { payload: null, payload_salt: null } : {}),
});
