import { UmpireError, type Assignees, type Outcome, type Principal } from '@umpire/contract';
import type { Command, Electorate } from '@umpire/domain';
import { databaseNow, withDeadline, type Sql } from '@umpire/runtime';
import { expandAssignees } from './assignees.ts';
import { directingActor, personActor } from './command-actor.ts';
import type { CancelBody, ClaimBody, CommentBody, ConsumeBody, DelegateBody, RaiseBody, ReassignBody, ReviseBody, SnoozeBody } from './command.schemas.ts';
import type { IfMatch } from './if-match.ts';
import { mayRead, type Reads } from './read.service.ts';
import { refusalError, unknownEscalation } from './refusal.ts';
import type { Transitions } from './transition.service.ts';

const LOOK_MS = 3_000;

/** Whom and what a command is about: the caller, the id in the path, and the version they saw. */
export type Aim = { principal: Principal; request_id: string; if_match?: IfMatch };

/** What a command that went through is told: where the escalation stands after it. */
export type Accepted = {
  status: 'accepted';
  interaction_id: string;
  state: string;
  seq: number;
  revision: number;
  level: number;
  claimed_by: string | null;
  claimed_until: string | null;
  outcome?: Outcome;
};

/** The reviewer API's commands: each becomes one domain command, committed before it is told. */
export class Commands {
  private readonly sql: Sql;
  private readonly transitions: Transitions;
  private readonly reads: Reads;

  constructor(sql: Sql, transitions: Transitions, reads: Reads) {
    this.sql = sql;
    this.transitions = transitions;
    this.reads = reads;
  }

  claim(aim: Aim, { seconds }: ClaimBody): Promise<Accepted> {
    return this.run(aim, { type: 'claim', actor: personActor(aim.principal), ...(seconds === undefined ? {} : { seconds }) });
  }

  release(aim: Aim): Promise<Accepted> {
    return this.run(aim, { type: 'release', actor: personActor(aim.principal) });
  }

  async reassign(aim: Aim, { from, to, detail }: ReassignBody): Promise<Accepted> {
    const command = { type: 'reassign' as const, actor: personActor(aim.principal), to: await this.people(aim, to, 'to') };
    return this.run(aim, { ...command, ...(from === undefined ? {} : { from }), ...(detail === undefined ? {} : { detail }) });
  }

  async delegate(aim: Aim, { to, until, seconds, detail }: DelegateBody): Promise<Accepted> {
    const end = await this.moment(until, seconds);
    return this.run(aim, { type: 'delegate', actor: personActor(aim.principal), to, ...(end === null ? {} : { until: end }), ...(detail === undefined ? {} : { detail }) });
  }

  async raise(aim: Aim, { to, detail }: RaiseBody): Promise<Accepted> {
    const joining = to === undefined ? {} : { to: await this.people(aim, to, 'to') };
    return this.run(aim, { type: 'raise', actor: personActor(aim.principal), ...joining, ...(detail === undefined ? {} : { detail }) });
  }

  async snooze(aim: Aim, { until, seconds }: SnoozeBody): Promise<Accepted> {
    return this.run(aim, { type: 'snooze', actor: personActor(aim.principal), until: (await this.moment(until, seconds))! });
  }

  /** @throws UmpireError `forbidden`: only who may read it may remark on it */
  async comment(aim: Aim, { text }: CommentBody): Promise<Accepted> {
    const { principal, request_id } = aim;
    const state = await this.reads.state({ namespace: principal.namespace, request_id });
    if (!mayRead(principal, state)) throw new UmpireError('forbidden', 'this escalation is not yours to read');
    return this.run(aim, { type: 'comment', actor: personActor(principal), text });
  }

  cancel(aim: Aim, { detail }: CancelBody): Promise<Accepted> {
    return this.run(aim, { type: 'cancel', actor: directingActor(aim.principal), ...(detail === undefined ? {} : { detail }) });
  }

  revise(aim: Aim, body: ReviseBody): Promise<Accepted> {
    return this.run(aim, { type: 'revise', actor: directingActor(aim.principal), ...body });
  }

  /** @returns the permit: the same for every asking of the same consumer */
  async consume(aim: Aim, body: ConsumeBody): Promise<Record<string, unknown> & { seq: number }> {
    const { permit } = await this.execute(aim, { type: 'consume', actor: directingActor(aim.principal), ...body });
    return { ...(permit as { seq: number }), interaction_id: aim.request_id };
  }

  private async run(aim: Aim, command: Command): Promise<Accepted> {
    return (await this.execute(aim, command)).accepted;
  }

  /** @throws UmpireError `not_found`, or with the domain's refusal and the real outcome */
  private async execute({ principal, request_id, if_match }: Aim, command: Command): Promise<{ accepted: Accepted; permit: unknown }> {
    const executed = await this.transitions.execute({ namespace: principal.namespace, request_id, command, ...(if_match === undefined ? {} : { if_match }) });
    if (!executed) throw unknownEscalation(request_id);
    const { decision, outcome } = executed;
    const { state } = decision;
    if (decision.refusal) throw refusalError(request_id, executed, mayRead(principal, state));
    const accepted: Accepted = {
      status: 'accepted',
      interaction_id: request_id,
      state: state.status,
      seq: state.seq,
      revision: state.revision,
      level: state.level,
      claimed_by: state.claim?.user_id ?? null,
      claimed_until: state.claim ? new Date(state.claim.until).toISOString() : null,
      ...(outcome && mayRead(principal, state) ? { outcome } : {}),
    };
    return { accepted, permit: decision.reply };
  }

  /**
   * People and roles with groups expanded as at opening: whom four-eyes keeps out does not come in with their group. Whoever is
   * named outright is the domain's to refuse.
   */
  private async people({ principal: { namespace }, request_id }: Aim, assignees: Assignees, path: string): Promise<Electorate> {
    if (!assignees.groups?.length) return { users: assignees.users ?? [], roles: assignees.roles ?? [] };
    const { excluded } = await this.reads.state({ namespace, request_id });
    return expandAssignees(this.sql, namespace, assignees, excluded, path);
  }

  /** An end as people name it, in ms; a duration counts from the database's clock. Null: none was named. */
  private async moment(until: string | undefined, seconds: number | undefined): Promise<number | null> {
    if (until !== undefined) return Date.parse(until);
    if (seconds === undefined) return null;
    return (await withDeadline(databaseNow(this.sql), LOOK_MS, 'database clock')) + Math.round(seconds * 1_000);
  }
}
