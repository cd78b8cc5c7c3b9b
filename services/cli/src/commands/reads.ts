import { PAGES, type Command } from '../command.ts';
import { table } from '../print.ts';

type Read = { at: string; what: string; via: string; request_id: string | null; shown: string[]; subject_user: string | null; user_id: string | null; key_id: string | null; auth: string; address: string | null; trace_id: string | null };

export const reads: Command[] = [
  {
    name: 'reads list', takes: [], as: 'admin',
    about: 'who was shown what, newest first',
    options: {
      id: { value: '<id>', about: 'reads of one escalation, and lists that showed it' },
      user: { value: '<id>', about: 'of one person' },
      what: { value: '<kind>', about: 'item, status, timeline, explain, outcome, receipt, pending, list, replay, rejected or rejected_list' },
      since: { value: '<time>', about: 'RFC 3339 (default: thirty days ago)' },
      until: { value: '<time>', about: 'RFC 3339' },
      ...PAGES,
    },
    run: async (umpire, args) => {
      const filter = { request_id: args.get('id'), user_id: args.get('user'), what: args.get('what'), since: args.get('since'), until: args.get('until') };
      const page = await umpire.list<Read>('/hitl/reads', filter, { limit: args.get('limit'), after: args.get('after'), all: args.on('all') });
      const which = (read: Read) => read.request_id ?? `${read.shown.length} shown${read.subject_user === null ? '' : ` of ${read.subject_user}`}`;
      return {
        json: page,
        text: table<Read>([
          ['at', (read) => read.at], ['who', (read) => read.user_id ?? read.key_id ?? read.auth], ['by', (read) => read.auth], ['what', (read) => read.what], ['which', which],
          ['via', (read) => read.via], ['from', (read) => read.address], ['trace', (read) => read.trace_id],
        ], page.items, page.next),
      };
    },
  },
];
