import type { Query } from '@umpire/runtime';

/** Where an export stands: behind event `seq` of an escalation, in checkpoint `number`. An empty id is before the first. */
export type ExportPlace = { number: number; request_id: string; seq: number };

export type SealedEvent = {
  request_id: string;
  chain_seq: number;
  chain_hash: string;
  after_seq: number;
  after_hash: string | null;
  seq: number;
  type: string;
  occurred_at: string;
  actor: Uint8Array | null;
  actor_salt: string | null;
  actor_digest: string;
  data: Uint8Array | null;
  data_salt: string | null;
  data_digest: string;
  hash: string;
  payload: Uint8Array | null;
  payload_salt: string | null;
};

/** Heads are taken this many at a time, rows from the server this many: what is in memory is bounded whatever an export holds. */
const HEADS = 100;
const ROWS = 20;

/**
 * Events that a checkpoint sealed, behind a place, in the order of its tree: at most those of a hundred chains, twenty at a time. Where
 * a chain's events are gone from the table, its head comes alone, with `seq` null.
 */
export function sealedEvents(sql: Query, namespace: string, after: ExportPlace): AsyncIterable<(SealedEvent | (Omit<SealedEvent, 'seq'> & { seq: null }))[]> {
  return sql<(SealedEvent | (Omit<SealedEvent, 'seq'> & { seq: null }))[]>`
    select h.request_id, h.seq as chain_seq, encode(h.hash, 'hex') as chain_hash, h.after_seq, encode(h.after_hash, 'hex') as after_hash, e.seq, e.type,
      to_char(e.occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as occurred_at, e.actor, encode(e.actor_salt, 'hex') as actor_salt,
      encode(e.actor_digest, 'hex') as actor_digest, e.data, encode(e.data_salt, 'hex') as data_salt, encode(e.data_digest, 'hex') as data_digest,
      encode(e.hash, 'hex') as hash, p.body as payload, encode(p.salt, 'hex') as payload_salt
    from (
      select request_id, seq, hash, after_seq, after_hash from store.sealed_heads
      where namespace = ${namespace} and number = ${after.number} and request_id collate "C" >= ${after.request_id}
        and not (request_id = ${after.request_id} and seq <= ${after.seq})
      order by request_id collate "C" limit ${HEADS}
    ) as h
    left join lateral (
      select * from store.events x
      where x.namespace = ${namespace} and x.request_id = h.request_id and x.seq > h.after_seq and x.seq <= h.seq
        and not (h.request_id = ${after.request_id} and x.seq <= ${after.seq})
      order by x.seq
    ) as e on true
    left join store.payloads p on e.seq = 1 and p.namespace = ${namespace} and p.request_id = h.request_id
    order by h.request_id collate "C", e.seq`.cursor(ROWS) as AsyncIterable<(SealedEvent | (Omit<SealedEvent, 'seq'> & { seq: null }))[]>;
}
