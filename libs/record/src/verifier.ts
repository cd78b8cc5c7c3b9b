import { hexOf } from './bytes.ts';
import { CHAIN_START } from './chain.ts';
import { ChainVerifier } from './chain-verifier.ts';
import { CHECKPOINT_TYP, checkpointDigest, EXPORT_TYP, type Checkpoint, type ExportStatement } from './checkpoint.ts';
import type { ChainLine, CheckpointLine, EventLine, ExportLine, KeysLine, LogLine, StatementLine } from './export-lines.ts';
import { Findings, type Report } from './findings.ts';
import { Keys } from './jws.ts';
import { LogVerifier } from './log-verifier.ts';

export type VerifierOptions = {
  /** Keys that are believed. Without them those in the export are, which proves only that it fits itself. */
  keys?: Keys;
  /** Checkpoints (JWS) kept from before: the export must hold these very ones. */
  anchors?: string[];
};

type Sealed = { checkpoint: Checkpoint; digest: string };
/** What there is is sealed when an export begins: the newest checkpoint is hardly older than the statement. */
const NEWEST_MS = 600_000;

/**
 * Checks an export line by line, from its own text alone. Memory grows with the number of chains in it (one head each), not with its
 * length. It never throws for what stands in the export: what is wrong becomes a finding.
 */
export class ExportVerifier {
  private readonly findings = new Findings();
  private readonly chains = new ChainVerifier(this.findings);
  private readonly log = new LogVerifier(this.findings);
  private readonly signers = new Set<string>();
  private readonly pinned: Keys | null;
  private readonly anchors: { number: number; digest: string; met: boolean }[];
  private keys: Keys | null;
  private statementLine: { line: number; jws: string } | null = null;
  private statement: ExportStatement | null = null;
  private first: number | null = null;
  /** The checkpoint before the first, where the export begins midway. */
  private before: Sealed | null = null;
  private current: Sealed | null = null;
  private line = 0;

  /** @throws Error for an anchor that the keys given do not bear out */
  constructor({ keys, anchors = [] }: VerifierOptions = {}) {
    this.pinned = keys ?? null;
    this.keys = this.pinned;
    this.anchors = anchors.map((jws) => ({ number: anchorNumber(jws, this.pinned), digest: checkpointDigest(jws.trim()), met: false }));
  }

  /** @param text one line, without its end */
  push(text: string): void {
    this.line += 1;
    if (text === '') return;
    const line = lineIn(text);
    if (!line) return this.findings.add('unreadable', this.line, '', 'this is no line of an export');
    try {
      this.take(line);
    } catch (error) {
      // Fields of another kind than any export has, or what only looks like JSON.
      this.findings.add('unreadable', this.line, '', (error as Error).message);
    }
  }

  private take(line: ExportLine): void {
    switch (line.kind) {
      case 'export': return this.onStatement(line);
      case 'keys': return this.onKeys(line);
      case 'checkpoint': return this.onCheckpoint(line);
      case 'log': return this.onLog(line);
      case 'chain': return this.onChain(line);
      case 'event': return this.onEvent(line);
    }
  }

  finish(): Report {
    this.closeCheckpoint();
    const { statement, current, findings } = this;
    if (!this.statementLine) findings.add('truncated', 0, '', 'the export does not begin with its statement');
    else if (!this.keys) findings.add('truncated', 0, '', 'the export holds no keys');
    if (statement && (statement.last !== (current?.checkpoint.number ?? null) || statement.last_digest !== (current?.digest ?? null))) {
      findings.add('truncated', 0, '', `the export ends with checkpoint ${current?.checkpoint.number ?? 'none'}; by its statement it reaches to ${statement.last ?? 'none'}`);
    }
    if (statement && current && !endsEarly(statement, current) && Date.parse(statement.at) - Date.parse(current.checkpoint.at) > NEWEST_MS) {
      findings.add('truncated', 0, '', `the export was made at ${statement.at}, and reaches only to ${current.checkpoint.at}: what there was is sealed when an export begins`);
    }
    for (const { number, met } of this.anchors) if (!met) findings.add('anchor', 0, `checkpoint ${number}`, 'the checkpoint kept from before is not in the export');
    const erased = this.chains.finish(endsEarly(statement, current));
    return {
      ok: findings.list.length === 0,
      namespace: statement?.namespace ?? null, since: statement?.since ?? null, until: statement?.until ?? null, exported_at: statement?.at ?? null,
      checkpoints: current && this.first !== null ? { first: this.first, last: current.checkpoint.number, last_digest: current.digest } : null,
      signed_by: [...this.signers], chains: this.chains.count, events: this.chains.events, log_entries: this.log.count,
      erased_events: erased, late: this.chains.late, payloads: this.chains.payloads, findings: findings.list, findings_left_out: findings.leftOut,
    };
  }

  private onStatement(line: StatementLine): void {
    if (this.statementLine || this.line !== 1) return this.findings.add('out_of_order', this.line, '', 'a statement stands at the beginning, once');
    this.statementLine = { line: this.line, jws: line.jws };
    if (this.pinned) this.openStatement();
  }

  private onKeys(line: KeysLine): void {
    if (!this.statementLine || this.current) return this.findings.add('out_of_order', this.line, '', 'the keys stand behind the statement');
    if (this.pinned) return;
    try {
      this.keys = new Keys(line);
    } catch (error) {
      return this.findings.add('unreadable', this.line, '', (error as Error).message);
    }
    this.openStatement();
  }

  private openStatement(): void {
    const { line, jws } = this.statementLine!;
    const statement = this.open<ExportStatement>(jws, EXPORT_TYP, line, 'statement');
    if (!statement) return;
    this.statement = statement;
    this.openBefore(statement, line);
    this.chains.begin(statement.namespace, (statement.first ?? 1) > 1);
    this.log.begin(statement.namespace, this.before?.checkpoint.log ?? { number: 0, hash: hexOf(CHAIN_START) });
  }

  /** The first checkpoint names the one before it, and goes on from its log: what a statement alone says of them is nothing sealed. */
  private openBefore({ namespace, first, since, before }: ExportStatement, line: number): void {
    if ((first ?? 1) === 1 && before === null) return;
    const checkpoint = before === null ? null : this.open<Checkpoint>(before, CHECKPOINT_TYP, line, 'the checkpoint before the first');
    if (!checkpoint || first === null || checkpoint.number !== first - 1 || checkpoint.namespace !== namespace) {
      return this.findings.add('checkpoint_missing', line, 'statement', `the checkpoint before number ${first ?? 'none'} is missing`);
    }
    if (since === null || Date.parse(checkpoint.at) >= Date.parse(since)) this.findings.add('checkpoint_missing', line, `checkpoint ${checkpoint.number}`, `is of ${checkpoint.at}: the export was to begin with it, or before`);
    this.before = { checkpoint, digest: checkpointDigest(before!) };
    this.meet(this.before, line);
  }

  private onCheckpoint({ jws }: CheckpointLine): void {
    if (!this.statement) return this.findings.add('out_of_order', this.line, '', 'a checkpoint without a statement before it');
    this.closeCheckpoint();
    const before = this.current ?? this.before;
    const checkpoint = this.open<Checkpoint>(jws, CHECKPOINT_TYP, this.line, `the checkpoint after ${before?.checkpoint.number ?? 'none'}`);
    if (!checkpoint) return;
    const where = `checkpoint ${checkpoint.number}`;
    if (checkpoint.namespace !== this.statement.namespace) this.findings.add('checkpoint_missing', this.line, where, `is of namespace ${checkpoint.namespace}`);
    const expected = this.current ? this.current.checkpoint.number + 1 : this.statement.first;
    if (checkpoint.number !== expected) this.findings.add('checkpoint_missing', this.line, where, `stands where ${expected} should`);
    else if (checkpoint.previous !== (before?.digest ?? null)) this.findings.add('checkpoint_missing', this.line, where, 'does not name the checkpoint before it');
    this.first ??= checkpoint.number;
    this.current = { checkpoint, digest: checkpointDigest(jws) };
    this.meet(this.current, this.line);
    this.chains.open(this.line, before ? Date.parse(before.checkpoint.at) : null);
  }

  private meet({ checkpoint: { number }, digest }: Sealed, line: number): void {
    for (const anchor of this.anchors.filter((one) => one.number === number)) {
      anchor.met = true;
      if (anchor.digest !== digest) this.findings.add('anchor', line, `checkpoint ${number}`, 'is another one than the checkpoint kept from before');
    }
  }

  private closeCheckpoint(): void {
    if (!this.current) return;
    this.chains.close(this.current.checkpoint);
    this.log.close(this.current.checkpoint, this.line);
  }

  private onLog(line: LogLine): void {
    if (!this.current || this.chains.begun) return this.findings.add('out_of_order', this.line, '', 'entries of the log stand behind their checkpoint, before its chains');
    this.log.push(line, this.line);
  }

  private onChain(line: ChainLine): void {
    if (!this.current) return this.findings.add('out_of_order', this.line, '', 'a chain without a checkpoint before it');
    this.chains.pushChain(line, this.line);
  }

  private onEvent(line: EventLine): void {
    if (!this.current) return this.findings.add('out_of_order', this.line, '', 'an event without a checkpoint before it');
    this.chains.pushEvent(line, this.line);
  }

  private open<T>(jws: string, typ: string, line: number, where: string): T | null {
    const opened = this.keys!.open(jws, typ);
    if (!opened.ok) {
      this.findings.add('signature', line, where, opened.why);
      return null;
    }
    this.signers.add(opened.signed.kid);
    const payload = JSON.parse(opened.signed.payload) as T & { v?: unknown };
    if (payload.v === 1) return payload;
    this.findings.add('unreadable', line, where, 'is of a version that this verifier does not know');
    return null;
  }
}

const EVENT = 'kind,seq,type,occurred_at,actor,actor_salt,actor_digest,data,data_salt,data_digest,hash';
/** The members of each kind of line, all of them and no other: what nobody checks has no place in an export. */
const SHAPES: Record<string, string[]> = {
  export: ['kind,jws'], keys: ['kind,keys'], checkpoint: ['kind,jws'], log: ['kind,number,at,entry_kind,entry,salt,digest,hash'],
  chain: ['kind,request_id,after_seq,after_hash,seq,hash'], event: [EVENT, `${EVENT},payload,payload_salt`],
};
const sorted = (names: string[]): string => names.toSorted().join(',');
const KNOWN = new Map(Object.entries(SHAPES).map(([kind, shapes]) => [kind, new Set(shapes.map((shape) => sorted(shape.split(','))))]));

function lineIn(text: string): ExportLine | null {
  try {
    const value = JSON.parse(text) as ExportLine | null;
    return typeof value === 'object' && value !== null && KNOWN.get(value.kind)?.has(sorted(Object.keys(value))) ? value : null;
  } catch {
    return null;
  }
}

/** Whether there may be more behind the end: an export that was asked for up to a time yet to come has all there was. */
function endsEarly(statement: ExportStatement | null, last: Sealed | null): boolean {
  return statement !== null && statement.until !== null && last !== null && Date.parse(last.checkpoint.at) >= Date.parse(statement.until);
}

function anchorNumber(jws: string, keys: Keys | null): number {
  const trimmed = jws.trim();
  const opened = keys?.open(trimmed, CHECKPOINT_TYP);
  if (opened && !opened.ok) throw new Error(`the checkpoint kept from before cannot be believed: ${opened.why}`);
  try {
    const { number } = JSON.parse(Buffer.from(trimmed.split('.')[1] ?? '', 'base64url').toString('utf8')) as Checkpoint;
    if (Number.isSafeInteger(number)) return number;
  } catch {
    // Said below.
  }
  throw new Error('the checkpoint kept from before is no checkpoint');
}
