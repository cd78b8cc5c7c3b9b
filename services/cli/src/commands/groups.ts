import { PAGES, type Command } from '../command.ts';
import { facts, table } from '../print.ts';

type Group = { name: string; description: string | null; members: number; created_at: string };
type GroupInFull = Omit<Group, 'members'> & { members: string[] };

const pathOf = (name: string) => `/identity/groups/${encodeURIComponent(name)}`;
const shown = (group: GroupInFull) => ({ json: group, text: facts([['name', group.name], ['description', group.description], ['members', group.members.join(', ') || 'nobody']]) });

const content = {
  member: { value: '<user>', many: true as const, about: 'who is in it; several with commas or again' },
  description: { value: '<text>', about: 'what it is for' },
};

export const groups: Command[] = [
  {
    name: 'groups list', takes: [], as: 'admin',
    about: 'groups and how many are in them',
    options: PAGES,
    run: async (umpire, args) => {
      const page = await umpire.list<Group>('/identity/groups', {}, { limit: args.get('limit'), after: args.get('after'), all: args.on('all') });
      return { json: page, text: table([['name', (group) => group.name], ['members', (group) => group.members], ['description', (group) => group.description]], page.items, page.next) };
    },
  },
  { name: 'groups show', takes: ['<name>'], as: 'admin', about: 'who is in a group', options: {}, run: async (umpire, args) => shown(await umpire.get<GroupInFull>(pathOf(args.names[0]!))) },
  {
    name: 'groups create', takes: ['<name>'], as: 'admin',
    about: 'make a group',
    options: content,
    run: async (umpire, args) => shown(await umpire.post<GroupInFull>('/identity/groups', { name: args.names[0], description: args.get('description'), members: args.list('member') })),
  },
  {
    name: 'groups set', takes: ['<name>'], as: 'admin',
    about: 'make a group what is said here, whether or not it exists; what is not said stays',
    options: { ...content, empty: { about: 'nobody is to be in it' } },
    run: async (umpire, args) => {
      const members = args.list('member');
      return shown(await umpire.put<GroupInFull>(pathOf(args.names[0]!), { description: args.get('description'), members: members.length > 0 || args.on('empty') ? members : undefined }));
    },
  },
  { name: 'groups add', takes: ['<name>', '<user>...'], as: 'admin', about: 'put people into a group', options: {}, run: (umpire, args) => forEach(args.names, (path) => umpire.put<GroupInFull>(path)) },
  { name: 'groups remove', takes: ['<name>', '<user>...'], as: 'admin', about: 'take people out of a group', options: {}, run: (umpire, args) => forEach(args.names, (path) => umpire.delete<GroupInFull>(path)) },
  {
    name: 'groups delete', takes: ['<name>'], as: 'admin',
    about: 'remove a group; escalations that are open keep their people',
    options: {},
    run: async (umpire, args) => {
      await umpire.delete(pathOf(args.names[0]!));
      return { json: { name: args.names[0], deleted: true }, text: `deleted ${args.names[0]}` };
    },
  },
];

async function forEach([name, ...users]: string[], change: (path: string) => Promise<GroupInFull>) {
  let group: GroupInFull | undefined;
  for (const user of users) group = await change(`${pathOf(name!)}/members/${encodeURIComponent(user)}`);
  return shown(group!);
}
