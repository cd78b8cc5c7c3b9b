import { canonicalJson, UmpireError, type Outcome, type Principal } from '@umpire/contract';
import type { Actor, EscalationState, Vote } from '@umpire/domain';
import { hexOf, RECEIPT_TYP, sha256, type Receipt } from '@umpire/record';
import { withDeadline, type Sql } from '@umpire/runtime';
import type { Key } from '../escalation.queries.ts';
import { mayRead, type Reads } from '../read.service.ts';
import { sealOf } from './checkpoint.queries.ts';
import { unproved } from './receipt-proof.ts';
import { eventsUpTo, payloadOf, type RecordedEvent } from './receipt.queries.ts';
import type { SigningKeys } from './signing-keys.service.ts';

const READ_MS = 5_000;

/** The receipt as it is handed out: `jws` is what counts, `receipt` what it says. */
export type SignedReceipt = { jws: string; kid: string; jwks: string; receipt: Receipt };

/** Receipts: what was decided, by whom, on what, under which rules, and where that stands in the record; signed. */
export class Receipts {
  private readonly sql: Sql;
  private readonly reads: Reads;
  private readonly keys: SigningKeys;
  private readonly issuer: string;

  constructor(parts: { sql: Sql; reads: Reads; keys: SigningKeys; issuer: string }) {
    this.sql = parts.sql;
    this.reads = parts.reads;
    this.keys = parts.keys;
    this.issuer = parts.issuer;
  }

  /** @throws UmpireError `not_found`, `forbidden`; `conflict` while it is pending; `erased`; `unavailable` without a signing key */
  async receipt(caller: Principal, requestId: string): Promise<SignedReceipt> {
    const key = { namespace: caller.namespace, request_id: requestId };
    const state = await this.reads.state(key);
    if (!mayRead(caller, state)) throw new UmpireError('forbidden', 'this escalation is not yours to read');
    if (!state.outcome) throw new UmpireError('conflict', 'this is pending: there is a receipt once it is decided');
    if (state.erased) throw new UmpireError('erased', 'what this was about was erased: only a receipt that was fetched before can show it');
    const signer = await this.keys.signer();
    const receipt = await this.compose(key, state, state.outcome as Outcome);
    return { jws: signer.sign(RECEIPT_TYP, JSON.stringify(receipt)), kid: signer.kid, jwks: `${this.issuer}/.well-known/jwks.json`, receipt };
  }

  /**
   * Everything as of the outcome: what happened afterwards (a comment, the permit) is no part of it.
   * @throws Error where the record does not bear out what would be signed: somebody changed it
   */
  private async compose(key: Key, state: EscalationState, outcome: Outcome): Promise<Receipt> {
    const [events, payload, seal] = await withDeadline(Promise.all([
      eventsUpTo(this.sql, key, outcome.seq), payloadOf(this.sql, key), sealOf(this.sql, key.namespace, key.request_id, outcome.seq),
    ]), READ_MS, 'receipt');
    const wrong = unproved(key, events, payload, outcome);
    if (wrong !== null) throw new Error(`no receipt of ${JSON.stringify(key.request_id)} in ${key.namespace}: ${wrong}`);
    const { rules } = state;
    return {
      v: 1, issuer: this.issuer, namespace: state.namespace, request_id: state.request_id, reason: state.reason, kind: state.kind, pattern: rules.pattern,
      request_digest: payload === null ? null : hexOf(sha256(payload.body)), form_digest: digestOf(rules.ui_schema), rules_digest: digestOf(rules), revision: state.revision, policy: state.policy,
      quorum: rules.quorum, electorate: state.electorate, excluded: state.excluded,
      votes: state.votes.map(voteOf), actors: events.map(actorOf),
      opened_at: new Date(state.opened_at).toISOString(), deadline: state.deadline === null ? null : new Date(state.deadline).toISOString(),
      outcome: {
        id: outcome.id, state: outcome.state, verdict: outcome.verdict, source: outcome.source, decided_by: outcome.decided_by, decided_at: outcome.decided_at,
        response_digest: digestOf(outcome.response), iterations: outcome.iterations, ...(outcome.detail === undefined ? {} : { detail: outcome.detail }),
      },
      chain: { seq: outcome.seq, hash: hexOf(events.at(-1)!.hash), checkpoint: seal && { number: seal.number, digest: hexOf(seal.digest) } },
    };
  }
}

const digestOf = (value: unknown): string => hexOf(sha256(canonicalJson(value ?? null)));

function voteOf({ seq, user_id, seat, via, verdict, at, auth, on_behalf_of, response, set_aside }: Vote): Receipt['votes'][number] {
  return {
    seq, user_id, seat, via, verdict, at: new Date(at).toISOString(), auth, ...(on_behalf_of === undefined ? {} : { on_behalf_of }),
    response_digest: digestOf(response), counted: set_aside === undefined,
  };
}

function actorOf({ seq, type, occurred_at, actor }: RecordedEvent): Receipt['actors'][number] {
  const who = actor === null ? null : (JSON.parse(actor) as Actor);
  return {
    seq, type, at: occurred_at,
    actor: who && { kind: who.kind, id: who.id, user_id: who.user_id, auth: who.auth, ...(who.on_behalf_of === undefined ? {} : { on_behalf_of: who.on_behalf_of }) },
  };
}
