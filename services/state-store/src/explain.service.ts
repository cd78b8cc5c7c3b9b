import { UmpireError, type Principal } from '@umpire/contract';
import { explain, type Explanation } from '@umpire/domain';
import { databaseNow, withDeadline, type Sql } from '@umpire/runtime';
import { mayRead, type Reads } from './read.service.ts';

const LOOK_MS = 3_000;

/** The domain's account, and which version of which escalation it is of. `as_of` is the database's clock, RFC 3339. */
export type Explained = { interaction_id: string; request_id: string; seq: number; as_of: string } & Explanation;

/** Why an escalation stands where it stands. Read from Postgres each time, state and clock. */
export class Explanations {
  private readonly sql: Sql;
  private readonly reads: Reads;

  constructor(sql: Sql, reads: Reads) {
    this.sql = sql;
    this.reads = reads;
  }

  /** @throws UmpireError `not_found`, `forbidden` */
  async explain(principal: Principal, requestId: string): Promise<Explained> {
    const key = { namespace: principal.namespace, request_id: requestId };
    const [state, now] = await Promise.all([this.reads.state(key), withDeadline(databaseNow(this.sql), LOOK_MS, 'database clock')]);
    if (!mayRead(principal, state)) throw new UmpireError('forbidden', 'this escalation is not yours to read');
    return { interaction_id: requestId, request_id: requestId, seq: state.seq, as_of: new Date(now).toISOString(), ...explain(state, now) };
  }
}
