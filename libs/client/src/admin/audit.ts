import { cursorInLink, type Page, type PageOptions } from '../http/pages.ts';
import { namePath } from '../http/path.ts';
import type { HttpTransport, Request } from '../http/transport.ts';
import type { CallOptions } from '../retry.ts';

/** A part of an export: lines of NDJSON, and where the next part begins; null at the end. */
export type ExportPart = { text: string; next: string | null };
/** What seals the record up to `at`: keep its `jws`, and nobody can change what it covers without you finding it out. */
export type Checkpoint = { number: number; at: string; chains: number; events: number; jws: string };
export type SigningKey = { kid: string; state: 'next' | 'signing' | 'retired'; created_at: string; created_by: string; signs_from: string };
/** Days that content is kept after the end; null: for good. */
export type Retention = { completed_days: number | null; expired_days: number | null; cancelled_days: number | null };
/** A person's erasure goes step by step: `state` says whether it is through. */
export type Erasure = {
  id: string;
  scope: 'content' | 'person';
  request_id: string | null;
  pseudonym: string | null;
  reason: string;
  requested_by: string;
  requested_at: string;
  escalations: number;
  events: number;
  done_at: string | null;
  state: 'running' | 'done';
};
export type PublicKeys = { keys: { kty: string; crv: string; x: string; kid: string; alg: string; use: string }[] };

/** The record of the namespace: for administrators who must show it, and keep it no longer than they may. */
export class Audit {
  private readonly transport: HttpTransport;

  constructor(transport: HttpTransport) {
    this.transport = transport;
  }

  /**
   * A part of the export, from the first checkpoint at or after `since` to that at or after `until` (RFC 3339).
   * @param range `after` goes on where a part ended
   */
  export(range: { since?: string; until?: string; after?: string } = {}, call?: CallOptions): Promise<ExportPart> {
    return this.part({ method: 'GET', path: '/audit/export', query: range, repeat: 'always' }, call);
  }

  /** A part of what is known of a person. */
  person(userId: string, { after }: { after?: string } = {}, call?: CallOptions): Promise<ExportPart> {
    return this.part({ method: 'GET', path: `/audit/person/${namePath(userId)}`, query: { after }, repeat: 'always' }, call);
  }

  /** Erases an escalation's content, or a person wherever they stand. It cannot be undone; that it was done stays on record. */
  erase(what: ({ request_id: string } | { user_id: string }) & { reason: string }, call?: CallOptions): Promise<Erasure> {
    return this.transport.json({ method: 'POST', path: '/audit/erasures', body: what, repeat: 'refused' }, call);
  }

  erasures(options: PageOptions = {}, call?: CallOptions): Promise<Page<Erasure>> {
    return this.transport.json({ method: 'GET', path: '/audit/erasures', query: options, repeat: 'always' }, call);
  }

  /** @throws UmpireError `not_found` */
  erasure(id: string, call?: CallOptions): Promise<Erasure> {
    return this.transport.json({ method: 'GET', path: `/audit/erasures/${namePath(id)}`, repeat: 'always' }, call);
  }

  retention(call?: CallOptions): Promise<Retention> {
    return this.transport.json({ method: 'GET', path: '/audit/retention', repeat: 'always' }, call);
  }

  /** Puts all of the rules: what is left out is kept for good. */
  changeRetention(rules: Partial<Retention>, call?: CallOptions): Promise<Retention> {
    return this.transport.json({ method: 'PUT', path: '/audit/retention', body: rules, repeat: 'always' }, call);
  }

  /** Newest first. */
  checkpoints(options: { before?: number; limit?: number } = {}, call?: CallOptions): Promise<Page<Checkpoint>> {
    return this.transport.json({ method: 'GET', path: '/audit/checkpoints', query: options, repeat: 'always' }, call);
  }

  /** Seals what there is now. @returns the newest checkpoint; number 0 while there is nothing to seal */
  seal(call?: CallOptions): Promise<Checkpoint | { number: 0 }> {
    return this.transport.json({ method: 'POST', path: '/audit/checkpoints', body: {}, repeat: 'always' }, call);
  }

  signingKeys(call?: CallOptions): Promise<Page<SigningKey>> {
    return this.transport.json({ method: 'GET', path: '/audit/keys', repeat: 'always' }, call);
  }

  /** Makes the key that signs next, published for `overlap_seconds` before it does (an hour unless said otherwise). */
  rotateSigningKey(rules: { overlap_seconds?: number } = {}, call?: CallOptions): Promise<Page<SigningKey>> {
    return this.transport.json({ method: 'POST', path: '/audit/keys', body: rules, repeat: 'refused' }, call);
  }

  /** The public halves (RFC 7517), retired ones among them. Needs no credential. */
  publicKeys(call?: CallOptions): Promise<PublicKeys> {
    return this.transport.json({ method: 'GET', path: '/.well-known/jwks.json', repeat: 'always' }, call);
  }

  private async part(request: Request, call?: CallOptions): Promise<ExportPart> {
    const reply = await this.transport.send({ ...request, headers: { accept: 'application/x-ndjson' } }, call);
    return { text: reply.text, next: cursorInLink(reply) };
  }
}
