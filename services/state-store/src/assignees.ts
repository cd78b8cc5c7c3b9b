import { UmpireError, type Assignees } from '@umpire/contract';
import type { Electorate } from '@umpire/domain';
import { withDeadline, type Sql } from '@umpire/runtime';
import { findGroupMembers } from './submit.queries.ts';

const LOOK_MS = 3_000;

/**
 * Users, roles and the members of groups. Of a group's members the excluded are left out; those named outright are kept as they are.
 * @throws UmpireError `invalid` (`empty_electorate`) where groups were named and nobody is in them
 */
export async function expandAssignees(sql: Sql, namespace: string, { users = [], groups = [], roles = [] }: Assignees, excluded: string[], path: string): Promise<Electorate> {
  const rows = groups.length === 0 ? [] : await withDeadline(findGroupMembers(sql, groups.map((name) => ({ namespace, name }))), LOOK_MS, 'group members');
  const members = rows.map((row) => row.user_id).filter((user) => !excluded.includes(user));
  const electorate = { users: [...new Set([...users, ...members])], roles };
  if (electorate.users.length === 0 && roles.length === 0) {
    const message = 'the groups it names have no members who could decide this';
    throw new UmpireError('invalid', `${path}: ${message}`, { errors: [{ path: `${path}.groups`, code: 'empty_electorate', message }] });
  }
  return electorate;
}
