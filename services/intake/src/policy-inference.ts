import { canonicalJson, type Interaction, type Rules } from '@umpire/contract';
import { resolveRules, type ResolveContext } from '@umpire/domain';

/** In an order in which what follows from another field comes behind it: options from the form, the default's effect from the default action. */
const FIELDS = [
  'pattern', 'verdict_field', 'timeout_seconds', 'default_action', 'on_timeout', 'assignees', 'quorum', 'veto', 'exclude', 'requested_by', 'priority', 'reminders', 'levels', 'max_iterations',
  'prompt', 'review_data', 'revises', 'action_digest', 'resume', 'ui_schema', 'options', 'approving',
] as const satisfies (keyof Interaction & keyof Rules)[];

/** What is said of one field can take away what the policy gave another before it. */
const PASSES = 2;

/**
 * What a producer must have said of an escalation. Only the rules that came of it are on record: a field is the producer's own if the
 * policy of then and the defaults do not explain it. One that was said, and is the same without it, is taken as left open.
 * @param policy the version that took it, null if none did
 * @returns an interaction from which, with that policy, the recorded rules follow; null where none was found
 */
export function inferInteraction(rules: Rules, context: ResolveContext): Interaction | null {
  return inferFrom({}, rules, context) ?? inferFrom({ options: rules.options }, rules, context);
}

/** Options that are said, even if they are the policy's own, can take away its verdicts: hence the second beginning. */
function inferFrom(beginning: Interaction, rules: Rules, context: ResolveContext): Interaction | null {
  const said: Interaction = { ...beginning };
  for (let pass = 0; pass < PASSES; pass++) {
    for (const field of FIELDS) {
      const explained = rulesFrom(said, context);
      if (explained !== null && same(explained, rules)) return said;
      if (rules[field] !== undefined && (explained === null || !same(explained[field], rules[field]))) Object.assign(said, { [field]: rules[field] });
    }
  }
  const explained = rulesFrom(said, context);
  return explained !== null && same(explained, rules) ? said : null;
}

function rulesFrom(said: Interaction, context: ResolveContext): Rules | null {
  const resolved = resolveRules(Object.keys(said).length === 0 ? undefined : said, context);
  return resolved.ok ? resolved.rules : null;
}

/** @returns whether both are the same JSON */
export const same = (a: unknown, b: unknown): boolean => (a === undefined || b === undefined ? a === b : canonicalJson(a) === canonicalJson(b));
