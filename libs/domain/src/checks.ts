import type { FieldError, Interaction, Option, Rules } from '@umpire/contract';
import { ABSTAIN, countsElectorate, isApproving } from './quorum.ts';

export function valuesOf(options: Option[]): string[] {
  return options.map(option => (typeof option === 'string' ? option : option.value));
}

type Fault = (field: string, code: string, message: string) => void;

/**
 * Whether rules make sense together: each fault is a 422 before anything is stored. `given` is what request and policy said, to tell
 * a default from a demand.
 */
export function checkRules(rules: Rules, given: Interaction, namespace?: string): FieldError[] {
  const errors: FieldError[] = [];
  const fault: Fault = (field, code, message) => void errors.push({ path: `interaction.${field}`, code, message });
  checkOptions(rules, given, fault);
  checkTimeout(rules, fault);
  checkPeople(rules, given, fault);
  checkQuorum(rules, fault);
  checkLevels(rules, fault);
  checkResume(rules, namespace, fault);
  return errors;
}

function checkOptions({ options, approving, ui_schema, verdict_field }: Rules, given: Interaction, fault: Fault): void {
  const values = valuesOf(options);
  const repeated = values.find((value, i) => values.indexOf(value) !== i);
  if (repeated !== undefined) fault('options', 'duplicate', `${repeated} is offered twice`);
  if (given.approving === undefined) return;
  const strange = options.length ? approving.filter(value => !values.includes(value)) : [];
  if (strange.length) fault('approving', 'outside_options', `not among the options: ${strange.join(', ')}`);
  if (approving.includes(ABSTAIN)) fault('approving', 'abstain', 'an abstention approves nothing');
  if (!options.length && approving.length && ui_schema.fields.length && !ui_schema.fields.some(({ name }) => name === verdict_field)) {
    fault('approving', 'no_verdict', `the form has no field ${verdict_field} that could approve`);
  }
}

function checkTimeout({ on_timeout, default_action, options }: Rules, fault: Fault): void {
  if (on_timeout !== 'default') return;
  if (default_action === undefined) fault('default_action', 'required', 'on_timeout is default: name the action');
  else if (!options.length) fault('default_action', 'outside_options', 'there are no options that it could be one of');
  else if (!valuesOf(options).includes(default_action)) fault('default_action', 'outside_options', `not among the options: ${valuesOf(options).join(', ')}`);
  else if (default_action === ABSTAIN) fault('default_action', 'abstain', 'an abstention settles nothing');
}

function checkPeople({ assignees, exclude, requested_by, levels }: Rules, given: Interaction, fault: Fault): void {
  const { users, groups, roles } = assignees;
  if (!users.length && !groups.length && !roles.length) {
    fault('assignees', 'required', given.assignees ? 'names nobody: leave it out for the default, or name somebody' : 'is required');
  } else if (!groups.length && !roles.length && !levels.length && users.every(user => exclude.includes(user) || user === requested_by)) {
    fault('assignees', 'all_excluded', 'everybody named is kept out by exclude or requested_by');
  }
}

/** What a quorum needs of the people it is asked of. Groups are expanded later, so numbers are checked only where all are named. */
function checkQuorum({ quorum, assignees, levels, veto, options, exclude, requested_by, approving, pattern }: Rules, fault: Fault): void {
  const { users, groups, roles } = assignees;
  if (pattern === 'refinement' && quorum !== 'any') fault('quorum', 'unsupported', 'a refinement round is one person\'s answer: its quorum is any');
  if (countsElectorate(quorum)) {
    if (roles.length) fault('quorum', 'bare_role', `${String(quorum)} counts people, and a role cannot be counted: name users or groups`);
    levels.forEach((level, i) => {
      if (level.assignees.roles.length) fault(`levels[${i}].assignees.roles`, 'bare_role', `quorum ${String(quorum)} counts people, and a role cannot be counted`);
    });
  }
  const listed = !groups.length && !roles.length && levels.every(level => !level.assignees.groups.length && !level.assignees.roles.length);
  const everyone = new Set([...users, ...levels.flatMap(level => level.assignees.users)]);
  if (listed && typeof quorum === 'object') {
    const able = [...everyone].filter(user => !exclude.includes(user) && user !== requested_by).length;
    if (able < quorum.at_least) fault('quorum', 'too_few', `asks for ${quorum.at_least} answers, and ${able} people may give one`);
  }
  if (!veto.length) return;
  if (!valuesOf(options).some(value => isApproving({ approving }, value))) fault('veto', 'nothing_to_veto', 'no option approves anything');
  const strangers = listed ? veto.filter(user => !everyone.has(user)) : [];
  if (strangers.length) fault('veto', 'not_assigned', `not among the assignees: ${strangers.join(', ')}`);
}

function checkLevels({ levels }: Rules, fault: Fault): void {
  levels.forEach(({ after_seconds, assignees }, i) => {
    if (i > 0 && after_seconds <= levels[i - 1]!.after_seconds) fault(`levels[${i}].after_seconds`, 'order', 'must come after the level before');
    if (!assignees.users.length && !assignees.groups.length && !assignees.roles.length) fault(`levels[${i}].assignees`, 'required', 'names nobody');
  });
}

function checkResume({ resume }: Rules, namespace: string | undefined, fault: Fault): void {
  const subject = resume?.reply_subject;
  if (subject === undefined) return;
  const [root, ns, word, ...tail] = subject.split('.');
  const own = root === 'hitl' && word === 'reply' && (namespace === undefined || ns === namespace);
  if (!own || !tail.length || tail.some(token => token === '' || /[\s*>]/.test(token))) {
    fault('resume.reply_subject', 'outside_prefix', `must be a subject under hitl.${namespace ?? '<ns>'}.reply.`);
  }
}
