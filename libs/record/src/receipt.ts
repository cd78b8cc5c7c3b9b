export const RECEIPT_TYP = 'umpire-receipt';

type Person = { user_id: string | null; kind: string; id: string; auth: string; on_behalf_of?: string };

/** What a receipt says of an outcome. Digests are SHA-256 as lower-case hex; times RFC 3339. */
export type Receipt = {
  v: 1;
  issuer: string;
  namespace: string;
  request_id: string;
  reason: string;
  kind: 'escalation' | 'interaction';
  pattern: string;
  /** Of the payload's bytes as the producer sent them. Null where it was erased since. */
  request_digest: string | null;
  /** Of the form people answered and of all the rules it was decided by, as canonical JSON. */
  form_digest: string;
  rules_digest: string;
  revision: number;
  policy: { id: string; version: number } | null;
  quorum: unknown;
  electorate: { users: string[]; roles: string[] };
  excluded: string[];
  votes: { seq: number; user_id: string; seat: string; via: string | null; verdict: string; at: string; auth: string; on_behalf_of?: string; response_digest: string; counted: boolean }[];
  /** Everybody who acted, in order, up to the outcome. Null where that was erased. */
  actors: { seq: number; type: string; at: string; actor: Person | null }[];
  opened_at: string;
  deadline: string | null;
  outcome: { id: string; state: string; verdict: string | null; source: string; decided_by: string[]; decided_at: string; response_digest: string; iterations: number; detail?: string };
  /** The settling event's place: its `seq` and hash, and the first checkpoint that seals it, once there is one. */
  chain: { seq: number; hash: string; checkpoint: { number: number; digest: string } | null };
};
