import { PAGES, type Command } from '../command.ts';
import { secondsOf } from '../durations.ts';
import { table, type Column } from '../print.ts';

type Delegation = { id: string; from: string; to: string; starts_at: string; until: string; detail: string | null; in_force: boolean; revoked_at: string | null };

const COLUMNS: Column<Delegation>[] = [
  ['id', (one) => one.id], ['from', (one) => one.from], ['to', (one) => one.to], ['starts', (one) => one.starts_at], ['until', (one) => one.until],
  ['in force', (one) => (one.in_force ? 'yes' : one.revoked_at ? 'revoked' : 'no')], ['detail', (one) => one.detail],
];
const shown = (items: Delegation[]) => table(COLUMNS, items);

export const delegations: Command[] = [
  {
    name: 'delegations create', takes: [], as: 'admin',
    about: 'let someone decide in another\'s place for a period',
    options: {
      to: { value: '<user>', about: 'who will decide' },
      from: { value: '<user>', about: 'in whose place (default: your own)' },
      for: { value: '<duration>', about: 'how long, such as 2w; at most 90d' },
      until: { value: '<time>', about: 'or its end: RFC 3339' },
      starts: { value: '<time>', about: 'when it begins: RFC 3339 (default: now)' },
      detail: { value: '<text>', about: 'why' },
    },
    run: async (umpire, args) => {
      const lasting = args.get('for');
      const made = await umpire.post<Delegation>('/identity/delegations', {
        to: args.need('to'), from: args.get('from'), starts_at: args.get('starts'), until: args.get('until'), detail: args.get('detail'),
        seconds: lasting === undefined ? undefined : secondsOf('for', lasting),
      });
      return { json: made, text: shown([made]) };
    },
  },
  {
    name: 'delegations list', takes: [], as: 'admin',
    about: 'who decides for whom',
    options: { user: { value: '<id>', about: 'from or to one person' }, 'in-force': { about: 'only those that hold now' }, ...PAGES },
    run: async (umpire, args) => {
      const page = await umpire.list<Delegation>('/identity/delegations', { user_id: args.get('user'), in_force: args.on('in-force') }, { limit: args.get('limit'), after: args.get('after'), all: args.on('all') });
      return { json: page, text: table(COLUMNS, page.items, page.next) };
    },
  },
  {
    name: 'delegations revoke', takes: ['<id>...'], as: 'admin',
    about: 'end delegations at once',
    options: {},
    run: async (umpire, args) => {
      const ended: Delegation[] = [];
      for (const id of args.names) ended.push(await umpire.delete<Delegation>(`/identity/delegations/${encodeURIComponent(id)}`));
      return { json: { items: ended }, text: shown(ended) };
    },
  },
];
