/** What is wrong, by kind. */
export type FindingCode =
  | 'unreadable' // a line that is no line of an export
  | 'out_of_order' // a line where none of its kind may stand
  | 'signature' // a checkpoint or statement that no given key has signed
  | 'checkpoint_missing' // numbers that are not consecutive, or the link to the one before does not fit
  | 'root' // the chains that follow a checkpoint are not those it sealed
  | 'log' // an entry of the namespace's log is missing, changed or out of place
  | 'chain' // events of a chain are missing, inserted or out of place
  | 'event' // an event's hash is not that of its fields
  | 'content' // content does not have the digest that the chain holds
  | 'content_missing' // content is gone or was changed, and no erasure on record says so
  | 'truncated' // the export ends before what its statement says
  | 'anchor'; // a checkpoint known from before is not the one found here

/** `line` counts from 1; 0 is the export as a whole. */
export type Finding = { code: FindingCode; line: number; where: string; what: string };

export type Report = {
  ok: boolean;
  namespace: string | null;
  since: string | null;
  until: string | null;
  exported_at: string | null;
  checkpoints: { first: number; last: number; last_digest: string } | null;
  signed_by: string[];
  chains: number;
  events: number;
  log_entries: number;
  /** Events whose content is gone or was changed, as an erasure on record says. */
  erased_events: number;
  /** Events that were sealed more than five minutes late, and the line of the first: the store was long without its key, or they were put in later. */
  late: { events: number; line: number };
  payloads: number;
  findings: Finding[];
  /** How many more there were. */
  findings_left_out: number;
};

const MOST = 100;

/** Collects what is wrong: the first hundred, and the number of the rest. */
export class Findings {
  readonly list: Finding[] = [];
  leftOut = 0;

  add(code: FindingCode, line: number, where: string, what: string): void {
    if (this.list.length < MOST) this.list.push({ code, line, where, what });
    else this.leftOut += 1;
  }
}
