import { UmpireError } from '@umpire/contract';
import { transaction, withDeadline, type Sql, type Tx } from '@umpire/runtime';
import { z } from 'zod';
import {
  deleteGroup, deleteMember, deleteMembersExcept, findGroup, findGroups, findMembers, GROUP_MEMBERS, insertGroup, insertMembers, lockGroup, updateDescription, type GroupView,
} from './identity-groups.queries.ts';
import { identityName, invalidField, note, pageOf, pageQuery, readCursor } from './identity-schemas.ts';

const SQL_MS = 5_000;

const members = z.array(identityName).max(GROUP_MEMBERS);
export const newGroupSchema = z.strictObject({ name: identityName, description: note.nullish(), members: members.default([]) });
/** What is left out stays as it is. */
export const groupSchema = z.strictObject({ description: note.nullish(), members: members.optional() });
export const groupListQuery = pageQuery;

export type GroupInFull = Omit<GroupView, 'members'> & { members: string[] };

/** Groups of people by name. Who is in one counts when an escalation opens; those that are open keep the people they have. */
export class IdentityGroups {
  private readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  async list(namespace: string, query: z.infer<typeof groupListQuery>): Promise<{ items: GroupView[]; next: string | null }> {
    const rows = await withDeadline(findGroups(this.sql, namespace, readCursor(query.after, z.string().max(256)), query.limit + 1), SQL_MS, 'groups');
    return pageOf(rows, query.limit, (group) => group.name);
  }

  /** @throws UmpireError `not_found` */
  async get(namespace: string, name: string): Promise<GroupInFull> {
    const [group, people] = await withDeadline(Promise.all([findGroup(this.sql, namespace, name), findMembers(this.sql, namespace, name)]), SQL_MS, 'group');
    if (!group) throw unknown(name);
    return { ...group, members: people };
  }

  /** @throws UmpireError `conflict` if there is one of that name */
  async create(namespace: string, asked: z.infer<typeof newGroupSchema>): Promise<GroupInFull> {
    await transaction(this.sql, SQL_MS, async (tx) => {
      if (!(await insertGroup(tx, namespace, asked.name, asked.description ?? null))) throw new UmpireError('conflict', `there is a group ${JSON.stringify(asked.name)} already`);
      await insertMembers(tx, namespace, asked.name, asked.members);
    });
    return this.get(namespace, asked.name);
  }

  /** Makes the group what is said here, whether or not there is one. */
  async put(namespace: string, name: string, asked: z.infer<typeof groupSchema>): Promise<GroupInFull> {
    await transaction(this.sql, SQL_MS, async (tx) => {
      await insertGroup(tx, namespace, name, asked.description ?? null);
      await lockGroup(tx, namespace, name);
      if (asked.description !== undefined) await updateDescription(tx, namespace, name, asked.description);
      if (!asked.members) return;
      await deleteMembersExcept(tx, namespace, name, asked.members);
      await insertMembers(tx, namespace, name, asked.members);
    });
    return this.get(namespace, name);
  }

  /** @throws UmpireError `not_found` */
  async remove(namespace: string, name: string): Promise<void> {
    if (!(await withDeadline(deleteGroup(this.sql, namespace, name), SQL_MS, 'group'))) throw unknown(name);
  }

  /** @throws UmpireError `not_found` for the group, `invalid` if it is full */
  async addMember(namespace: string, name: string, userId: string): Promise<GroupInFull> {
    await this.changing(namespace, name, async (tx) => {
      await insertMembers(tx, namespace, name, [userId]);
      if ((await findGroup(tx, namespace, name))!.members > GROUP_MEMBERS) throw invalidField('members', 'too_many', `can be at most ${GROUP_MEMBERS}`);
    });
    return this.get(namespace, name);
  }

  /** @throws UmpireError `not_found` for the group; who is not in it is no fault */
  async removeMember(namespace: string, name: string, userId: string): Promise<GroupInFull> {
    await this.changing(namespace, name, (tx) => deleteMember(tx, namespace, name, userId));
    return this.get(namespace, name);
  }

  private changing(namespace: string, name: string, change: (tx: Tx) => Promise<void>): Promise<void> {
    return transaction(this.sql, SQL_MS, async (tx) => {
      if (!(await lockGroup(tx, namespace, name))) throw unknown(name);
      await change(tx);
    });
  }
}

const unknown = (name: string) => new UmpireError('not_found', `there is no group ${JSON.stringify(name)}`);
