import type { Interaction, Rules } from '@umpire/contract';
import { decide, evolve, openEscalation, resolveRules } from '../src/index.ts';
import type { Actor, Command, Decision, DomainEvent, EscalationState, OpenInput } from '../src/index.ts';

export const START = Date.UTC(2026, 0, 15, 10, 30);
export const HOUR = 3_600_000;

export function person(user_id: string, more: Partial<Actor> = {}): Actor {
  return { kind: 'user', id: `key-${user_id}`, user_id, roles: ['reviewer'], auth: 'api_key', ...more };
}

export const producer: Actor = { kind: 'producer', id: 'key-producer', user_id: null, roles: ['producer'], auth: 'api_key' };
export const admin: Actor = { kind: 'admin', id: 'key-admin', user_id: null, roles: ['admin'], auth: 'api_key' };

export function rulesOf(interaction: Interaction | undefined): Rules {
  const resolved = resolveRules(interaction, { kind: 'escalation', reason: 'hard_disagreement' });
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.errors));
  return resolved.rules;
}

/** Freezes all the way down, so that a rule which changes what it was given throws. */
export function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}

/**
 * One escalation with its history. Each step checks what holds for every command: the state handed in is not changed, the returned
 * state is the fold of all events and survives being stored as JSON.
 */
export class Case {
  readonly events: DomainEvent[] = [];
  state: EscalationState;
  now: number;

  constructor(interaction: Interaction | undefined, more: Partial<OpenInput> = {}, now = START) {
    const rules = rulesOf(interaction);
    const { users, roles } = rules.assignees;
    const input: OpenInput = { namespace: 'default', request_id: 'hitl-Übung 7', reason: 'hard_disagreement', kind: 'escalation', rules, policy: null, electorate: { users, roles }, ...more };
    this.now = now;
    this.events.push(openEscalation(input, now));
    this.state = frozen(evolve(null, this.events[0]!));
  }

  do(command: Command): Decision {
    const decision = decide(this.state, command, this.now);
    this.events.push(...decision.events);
    this.state = frozen(decision.state);
    const stored = JSON.parse(JSON.stringify(this.events)) as DomainEvent[];
    const folded = stored.reduce<EscalationState | null>(evolve, null);
    if (JSON.stringify(folded) !== JSON.stringify(JSON.parse(JSON.stringify(this.state)))) throw new Error('the state is not the fold of its events');
    if (this.state.seq !== this.events.length) throw new Error('seq has gaps');
    return decision;
  }

  after(ms: number): this {
    this.now += ms;
    return this;
  }

  answer(user: string, user_input: Record<string, unknown> | string, more: { revision?: number; actor?: Partial<Actor> } = {}): Decision {
    const input = typeof user_input === 'string' ? { decision: user_input } : user_input;
    return this.do({ type: 'respond', actor: person(user, more.actor), user_input: input, revision: more.revision });
  }

  /** Lets the armed clock of this kind ring at the present moment. */
  ring(kind: EscalationState['clocks'][number]['kind'], ordinal = 0): Decision {
    const clock = this.state.clocks.find(other => other.kind === kind && other.ordinal === ordinal);
    if (!clock) throw new Error(`no ${kind} clock ${ordinal} is armed`);
    return this.do({ type: 'clock', kind, ordinal, generation: clock.generation });
  }

  types(): string[] {
    return this.events.map(({ type }) => type);
  }
}
