import type { Delegator } from '@umpire/contract';
import { countedVotes, decide, type Actor, type Command, type Decision, type EscalationState } from '@umpire/domain';

/** What somebody may do in another's place. Everything else needs a seat of one's own. */
type Delegable = Extract<Command, { type: 'respond' | 'claim' | 'snooze' }>;
const isDelegable = (command: Command): command is Delegable => command.type === 'respond' || command.type === 'claim' || command.type === 'snooze';

/**
 * Decides a command, and where its actor has no seat of their own but someone with one has delegated to them, decides it on that
 * person's behalf. What the actor brought along as `on_behalf_of` is not looked at: only a delegation in force makes one.
 * @param delegatorsOf whom a person acts for at `now`; asked only where it matters
 * @param now ms
 */
export async function decideActing(state: EscalationState, given: Command, now: number, delegatorsOf: (userId: string) => Promise<Delegator[]>): Promise<Decision> {
  if (!isDelegable(given)) return decide(state, given, now);
  const { on_behalf_of: _, delegator_roles: __, ...actor } = given.actor;
  const own = decide(state, { ...given, actor }, now);
  if (own.refusal?.code !== 'not_eligible' || actor.user_id === null) return own;
  const delegators = inOrder(state, actor, await delegatorsOf(actor.user_id));
  const attempts = delegators.map(({ user_id, roles }) => decide(state, { ...given, actor: { ...actor, on_behalf_of: user_id, delegator_roles: roles } }, now));
  return attempts.find(({ refusal }) => !refusal) ?? attempts.find(({ refusal }) => refusal!.code !== 'not_eligible') ?? own;
}

/** Members of the electorate only; of several, those whose seat nobody else has answered from come first. */
function inOrder(state: EscalationState, actor: Actor, delegators: Delegator[]): Delegator[] {
  const { users, roles } = state.electorate;
  const seated = delegators.filter((one) => users.includes(one.user_id) || roles.some((role) => one.roles.includes(role)));
  const answered = (one: Delegator) => countedVotes(state).some((vote) => vote.seat === one.user_id && vote.user_id !== actor.user_id);
  return [...seated.filter((one) => !answered(one)), ...seated.filter(answered)];
}
