import type { FieldError, Interaction, Reason, Rules } from '@umpire/contract';
import type { Page, PageOptions } from '../http/pages.ts';
import { namePath } from '../http/path.ts';
import type { HttpTransport, Request } from '../http/transport.ts';
import type { CallOptions } from '../retry.ts';

/** Who decides what, how and by when, for messages that do not say so themselves. */
export type PolicyDocument = {
  id: string;
  description?: string;
  /** The highest is asked first. */
  priority?: number;
  match?: {
    kind?: 'escalation' | 'interaction';
    reasons?: Reason[];
    task_id?: string | string[];
    metadata?: Record<string, unknown>;
    /** A CEL condition. */
    when?: string;
  };
  interaction?: Omit<Interaction, 'revises' | 'action_digest'>;
  /** Fields in which the policy wins over the request. */
  enforce?: (keyof Interaction)[];
  same_task?: 'keep' | 'supersede';
};

export type Policy = { id: string; version: number; enabled: boolean; priority: number; description: string | null; created_at: string; created_by: string; document: PolicyDocument };
export type PolicyVersion = Omit<Policy, 'enabled'> & { active: boolean };

/** What would become of a message: which policy takes it, and why the others do not. */
export type PolicySimulation = {
  kind: 'escalation' | 'interaction';
  reason: Reason;
  policy: { id: string; version: number } | null;
  rules: Rules | null;
  same_task: 'keep' | 'supersede' | null;
  errors: FieldError[];
  policies: { id: string; version: number; priority: number; matched: boolean; taken: boolean; failed: { path: string; message: string } | null }[];
};

/** How an escalation went, or would have gone. */
export type PolicyCourse = {
  policy: { id: string; version: number } | null; asked: { users: string[]; roles: string[] }; level: number; state: string; source: 'human' | 'timeout' | 'cancel' | null; verdict: string | null; ended_at: string | null;
};
type Tally = { by_people: number; timed_out: number; defaulted: number; expired: number; raised: number; cancelled: number; pending: number };

/** What a draft would have changed of a page of recorded escalations; the counts are of this page. */
export type PolicyReplayPage = {
  read: number;
  skipped: { erased: number; untraceable: number; refused: number };
  taken_by_draft: number;
  changed: number;
  short_of_answers: number;
  before: Tally;
  after: Tally;
  changes: {
    request_id: string; reason: Reason; opened_at: string; before: PolicyCourse; after: PolicyCourse | null; differs: ('policy' | 'asked' | 'level' | 'outcome' | 'time')[];
    refused_answers: string[]; not_run: FieldError[] | null;
  }[];
  at: string | null;
  next: string | null;
};

export type PolicyFormat = 'json' | 'yaml';

/** The namespace's policies, for administrators. Versions are only ever added; one of them, or none, is in force. */
export class Policies {
  private readonly transport: HttpTransport;

  constructor(transport: HttpTransport) {
    this.transport = transport;
  }

  /**
   * Puts a document in force; the one that is in force already makes no new version, so it may be repeated.
   * @param document a value, or the text of a file with its `format`
   * @throws UmpireError `invalid` naming every field at fault
   */
  apply(document: PolicyDocument | string, { format = 'json', ...call }: CallOptions & { format?: PolicyFormat } = {}): Promise<Policy> {
    return this.call({ method: 'POST', body: document, headers: { 'content-type': `application/${format}` }, repeat: 'always' }, '', call);
  }

  /** What `apply` would put in force. */
  check(document: PolicyDocument | string, { format = 'json', ...call }: CallOptions & { format?: PolicyFormat } = {}): Promise<Omit<Policy, 'created_at' | 'created_by'>> {
    return this.call({ method: 'POST', body: document, query: { dry_run: true }, headers: { 'content-type': `application/${format}` }, repeat: 'always' }, '', call);
  }

  /** @param message any message that a producer may send; nothing is stored */
  simulate(message: object | string, call?: CallOptions): Promise<PolicySimulation> {
    return this.call({ method: 'POST', body: message, repeat: 'always' }, '/simulate', call);
  }

  /** Tries a document that is in force nowhere on what was opened since then, a page at a time: ask again with `after` until there is no `next`. */
  replay(document: PolicyDocument | string, { since, until, after, limit, format = 'json', ...call }: CallOptions & { since: string; until?: string; after?: string; limit?: number; format?: PolicyFormat }): Promise<PolicyReplayPage> {
    return this.call({ method: 'POST', body: document, query: { since, until, after, limit }, headers: { 'content-type': `application/${format}` }, repeat: 'always' }, '/replay', call);
  }

  list(options: PageOptions = {}, call?: CallOptions): Promise<Page<Policy>> {
    return this.call({ method: 'GET', query: options, repeat: 'always' }, '', call);
  }

  get(id: string, call?: CallOptions): Promise<Policy> {
    return this.call({ method: 'GET', repeat: 'always' }, `/${namePath(id)}`, call);
  }

  /** Newest first, those of a deleted policy too. */
  versions(id: string, options: PageOptions = {}, call?: CallOptions): Promise<Page<PolicyVersion>> {
    return this.call({ method: 'GET', query: options, repeat: 'always' }, `/${namePath(id)}/versions`, call);
  }

  version(id: string, version: number, call?: CallOptions): Promise<PolicyVersion> {
    return this.call({ method: 'GET', repeat: 'always' }, `/${namePath(id)}/versions/${version}`, call);
  }

  /** Puts an earlier version in force again. */
  activate(id: string, version: number, call?: CallOptions): Promise<Policy> {
    return this.call({ method: 'POST', repeat: 'always' }, `/${namePath(id)}/versions/${version}/activate`, call);
  }

  enable(id: string, call?: CallOptions): Promise<Policy> {
    return this.call({ method: 'POST', repeat: 'always' }, `/${namePath(id)}/enable`, call);
  }

  disable(id: string, call?: CallOptions): Promise<Policy> {
    return this.call({ method: 'POST', repeat: 'always' }, `/${namePath(id)}/disable`, call);
  }

  async remove(id: string, call?: CallOptions): Promise<void> {
    await this.call({ method: 'DELETE', repeat: 'refused' }, `/${namePath(id)}`, call);
  }

  private call<T>(request: Omit<Request, 'path'>, tail: string, call?: CallOptions): Promise<T> {
    return this.transport.json({ ...request, path: `/policies${tail}` }, call);
  }
}
