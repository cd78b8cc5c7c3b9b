import { PAGES, type Command } from '../command.ts';
import { secondsOf } from '../durations.ts';
import { facts, table, type Column } from '../print.ts';

type Key = { id: string; name: string; roles: string[]; user_id: string | null; created_at: string; expires_at: string | null; revoked_at: string | null };

const COLUMNS: Column<Key>[] = [
  ['id', (key) => key.id], ['name', (key) => key.name], ['roles', (key) => key.roles.join(',')], ['user', (key) => key.user_id],
  ['expires', (key) => key.expires_at], ['revoked', (key) => key.revoked_at],
];

export const keys: Command[] = [
  {
    name: 'keys create', takes: ['<name>'], as: 'admin',
    about: 'make an API key; it is shown this once',
    options: {
      role: { value: '<role>', many: true, about: 'producer, reviewer, admin, or a name of your own beside one of them' },
      user: { value: '<id>', about: 'whose key it is: a reviewer\'s is somebody\'s' },
      'expires-in': { value: '<duration>', about: 'such as 12h or 90d (default: until revoked)' },
      'expires-at': { value: '<time>', about: 'RFC 3339, such as 2030-01-31T00:00:00Z' },
    },
    run: async (umpire, args) => {
      const lasting = args.get('expires-in');
      const made = await umpire.post<Key & { key: string }>('/identity/keys', {
        name: args.names[0], roles: args.list('role'), user_id: args.get('user'), expires_at: args.get('expires-at'),
        expires_in_seconds: lasting === undefined ? undefined : secondsOf('expires-in', lasting),
      });
      return { json: made, text: facts([['id', made.id], ['roles', made.roles.join(',')], ['user', made.user_id], ['expires', made.expires_at], ['key', made.key]]) };
    },
  },
  {
    name: 'keys list', takes: [], as: 'admin',
    about: 'the namespace\'s keys, without the keys themselves',
    options: { user: { value: '<id>', about: 'of one person' }, active: { about: 'only those that work' }, ...PAGES },
    run: async (umpire, args) => {
      const page = await umpire.list<Key>('/identity/keys', { user_id: args.get('user'), active: args.on('active') }, { limit: args.get('limit'), after: args.get('after'), all: args.on('all') });
      return { json: page, text: table(COLUMNS, page.items, page.next) };
    },
  },
  {
    name: 'keys revoke', takes: ['<id>...'], as: 'admin',
    about: 'end keys, everywhere within five seconds',
    options: {},
    run: async (umpire, args) => {
      const revoked: Key[] = [];
      for (const id of args.names) revoked.push(await umpire.delete<Key>(`/identity/keys/${encodeURIComponent(id)}`));
      return { json: { items: revoked }, text: table(COLUMNS, revoked) };
    },
  },
];
