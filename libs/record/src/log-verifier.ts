import { bytesOfHex, hexOf } from './bytes.ts';
import { CHAIN_START, logHash, saltedDigest } from './chain.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { LogLine } from './export-lines.ts';
import type { Findings } from './findings.ts';

/** Checks the chain of a namespace's own log. Its entries are never erased. */
export class LogVerifier {
  count = 0;
  private readonly findings: Findings;
  private namespace = '';
  private head = { number: 0, hash: CHAIN_START };

  constructor(findings: Findings) {
    this.findings = findings;
  }

  /** @param before where the log stood before the export begins, as its statement says */
  begin(namespace: string, before: { number: number; hash: string }): void {
    this.namespace = namespace;
    this.head = { number: before.number, hash: bytesOfHex(before.hash, 32) ?? CHAIN_START };
  }

  push(line: LogLine, at: number): void {
    const where = `log entry ${String(line.number)}`;
    const digest = bytesOfHex(line.digest, 32);
    const hash = bytesOfHex(line.hash, 32);
    const salt = bytesOfHex(line.salt, 16);
    if (!digest || !hash || !salt || typeof line.entry !== 'string' || !Number.isSafeInteger(line.number)) return this.findings.add('unreadable', at, where, 'lacks one of its fields');
    this.count += 1;
    if (hexOf(saltedDigest(salt, line.entry)) !== line.digest) this.findings.add('log', at, where, 'its text is not what was recorded');
    if (line.number !== this.head.number + 1) this.findings.add('log', at, where, `follows entry ${this.head.number}`);
    else {
      const expected = logHash(this.head.hash, { namespace: this.namespace, number: line.number, at: line.at, kind: line.entry_kind, digest });
      if (hexOf(expected) !== line.hash) this.findings.add('log', at, where, 'its hash is not that of its fields');
    }
    this.head = { number: line.number, hash };
  }

  close({ number, log }: Checkpoint, at: number): void {
    if (log.number !== this.head.number || log.hash !== hexOf(this.head.hash)) {
      this.findings.add('log', at, `checkpoint ${number}`, `seals entry ${log.number} of the log; the export has entry ${this.head.number} here`);
    }
  }
}
