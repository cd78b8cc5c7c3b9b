import type { Page, PageOptions } from '../http/pages.ts';
import type { HttpTransport } from '../http/transport.ts';
import type { CallOptions } from '../retry.ts';

/** One read: of an escalation (`request_id`), or of a list (`shown`, with a digest of what was asked). */
export type ReadRecord = {
  id: string;
  namespace: string;
  at: string;
  what: string;
  via: 'http' | 'socket' | 'nats';
  request_id: string | null;
  shown: string[];
  subject_user: string | null;
  filter_digest: string | null;
  user_id: string | null;
  key_id: string | null;
  auth: 'api_key' | 'jwt' | 'session' | 'nats';
  address: string | null;
  forwarded_for: string | null;
  trace_id: string | null;
};
/** Times RFC 3339; without `since` the last thirty days. */
export type ReadsQuestion = PageOptions & { request_id?: string; user_id?: string; what?: string; since?: string; until?: string };

/** Who was shown what, for administrators. */
export class ReadLog {
  private readonly transport: HttpTransport;

  constructor(transport: HttpTransport) {
    this.transport = transport;
  }

  /** Newest first. */
  page(question: ReadsQuestion = {}, call?: CallOptions): Promise<Page<ReadRecord>> {
    return this.transport.json({ method: 'GET', path: '/hitl/reads', query: question, repeat: 'always' }, call);
  }
}
