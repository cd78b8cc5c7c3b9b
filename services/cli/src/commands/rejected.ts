import type { DeadLetter } from '@umpire/contract';
import { PAGES, type Command } from '../command.ts';
import { facts, table, visible } from '../print.ts';

type Letter = DeadLetter & { rejected_at?: string };

const pathOf = (id: string) => `/rejected/${encodeURIComponent(id)}`;

export const rejected: Command[] = [
  {
    name: 'rejected list', takes: [], as: 'admin',
    about: 'messages that were not taken, and why',
    options: PAGES,
    run: async (umpire, args) => {
      const page = await umpire.list<Letter>('/rejected', {}, { limit: args.get('limit'), after: args.get('after'), all: args.on('all') });
      const why = ({ errors }: Letter) => `${errors[0]?.path ? `${errors[0].path}: ` : ''}${errors[0]?.message ?? ''}${errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''}`;
      return { json: page, text: table([['id', (one) => one.id], ['at', (one) => one.rejected_at], ['subject', (one) => one.subject], ['why', why]], page.items, page.next) };
    },
  },
  {
    name: 'rejected show', takes: ['<id>'], as: 'admin',
    about: 'one rejected message with every error and its own text',
    options: {},
    run: async (umpire, args) => {
      const letter = await umpire.get<Letter>(pathOf(args.names[0]!));
      const errors = letter.errors.map(({ path, code, message }) => `  ${path || '(whole document)'}: ${message} (${code})`).join('\n');
      const head = facts([['id', letter.id], ['at', letter.rejected_at], ['subject', letter.subject], ['digest', letter.digest]]);
      return { json: letter, text: `${head}\n\n${visible(errors)}\n\n${visible(Buffer.from(letter.original, 'base64').toString('utf8'))}` };
    },
  },
  {
    name: 'rejected redrive', takes: ['<id>...'], as: 'admin',
    about: 'send rejected messages again, as they were',
    options: {},
    run: async (umpire, args) => {
      const sent: unknown[] = [];
      for (const id of args.names) sent.push(await umpire.post(`${pathOf(id)}/redrive`, {}));
      return { json: { items: sent }, text: args.names.map((id) => `sent again: ${id}`).join('\n') };
    },
  },
];
