import { existsSync, readFileSync } from 'node:fs';

export type Request = { request_id: string; escalation_reason: string };

/** What the upstream framework really sends lies beside the repository; without it, a sample of the same size. */
const SOURCES = [new URL('../../../../../shared/data/hitl-requests.jsonl', import.meta.url), new URL('../../sample.jsonl', import.meta.url)];
const AROUND = { least: 1_900, most: 2_700 };

/** Messages of some 2.3 kB as producers put them on the wire, each with an id of its own. */
export class Messages {
  readonly source: string;
  private readonly lines: { before: string; after: string; reason: string }[];
  private count = 0;

  constructor() {
    const url = SOURCES.find((one) => existsSync(one))!;
    this.source = url.pathname.split('/').at(-1)!;
    const lines = readFileSync(url, 'utf8').split('\n').filter((line) => line.length >= AROUND.least && line.length <= AROUND.most);
    this.lines = lines.flatMap((line) => {
      const { request_id, escalation_reason } = JSON.parse(line) as Request;
      const [before, after] = line.split(JSON.stringify(request_id));
      // A few write theirs with escapes.
      return before === undefined || after === undefined ? [] : [{ before, after, reason: escalation_reason }];
    });
  }

  /** The mean size of a message, in bytes. */
  get bytes(): number {
    return Math.round(this.lines.reduce((sum, line) => sum + Buffer.byteLength(wrap(line, 'bench/12-000000000000')), 0) / this.lines.length);
  }

  /** @param prefix of the id */
  next(prefix: string): { id: string; reason: string; subject: string; text: string; payload: string } {
    const line = this.lines[this.count % this.lines.length]!;
    this.count += 1;
    const id = `${prefix}-${this.count.toString(36).padStart(8, '0')}`;
    return { id, reason: line.reason, subject: `hitl.default.review.${line.reason}`, text: wrap(line, id), payload: `${line.before}${JSON.stringify(id)}${line.after}` };
  }

  many(count: number, prefix: string): ReturnType<Messages['next']>[] {
    return Array.from({ length: count }, () => this.next(prefix));
  }
}

const wrap = ({ before, after, reason }: { before: string; after: string; reason: string }, id: string) =>
  `{"type":"hitl_escalation","payload":${before}${JSON.stringify(id)}${after},"routing_key":"review.${reason}"}`;
