import { resolve } from 'node:path';
import { idToken } from '@umpire/contract';
import { RECEIPT_TYP, type Receipt } from '@umpire/record';
import type { Umpire } from '../client.ts';
import { PAGES, type Arguments, type Command, type OfflineCommand } from '../command.ts';
import { secondsOf } from '../durations.ts';
import { EXIT, UsageError } from '../failures.ts';
import { facts, table, type Column } from '../print.ts';
import { keysIn, persistently, writeWhole } from './audit.ts';

type Erasure = { id: string; scope: string; state: string; request_id: string | null; pseudonym: string | null; reason: string; requested_by: string; requested_at: string; escalations: number; events: number; done_at: string | null };
type SigningKey = { kid: string; state: string; signs_from: string; created_by: string };
type Rules = { completed_days: number | null; expired_days: number | null; cancelled_days: number | null; changed_by?: string; changed_at?: string };

const ERASURES: Column<Erasure>[] = [
  ['id', (one) => one.id], ['scope', (one) => one.scope], ['state', (one) => one.state], ['what', (one) => one.request_id ?? one.pseudonym], ['escalations', (one) => one.escalations],
  ['events', (one) => one.events], ['by', (one) => one.requested_by], ['asked', (one) => one.requested_at], ['done', (one) => one.done_at], ['why', (one) => one.reason.slice(0, 60)],
];
const KEYS: Column<SigningKey>[] = [['kid', (one) => one.kid], ['state', (one) => one.state], ['signs from', (one) => one.signs_from], ['made by', (one) => one.created_by]];
const ENDS = ['completed', 'expired', 'cancelled'] as const;

/** Receipts, and what is done to the record: erasure, retention, keys. */
export const record: (Command | OfflineCommand)[] = [
  {
    name: 'audit person', takes: ['<user>'], as: 'admin',
    about: 'what is known of one person, as NDJSON',
    options: { out: { value: '<file>', about: 'where to' } },
    run: async (umpire, args, _, place) => {
      const name = args.need('out');
      const { bytes, lines } = await writeWhole(resolve(place.folder, name), async (write) => {
        for (let next: string | null = `/audit/person/${encodeURIComponent(args.names[0]!)}`; next !== null; ) {
          const page = await persistently(umpire, next);
          await write(page.text);
          next = page.next;
        }
      });
      return { json: { file: name, bytes, lines }, text: facts([['file', name], ['bytes', bytes], ['lines', lines]]) };
    },
  },
  {
    name: 'audit erase', takes: [], as: 'admin',
    about: 'take an escalation\'s content, or a person, out of the record for good',
    options: {
      escalation: { value: '<id>', about: 'whose content goes; it must be settled' },
      person: { value: '<user>', about: 'who is taken out wherever they stand; nothing pending may still ask them' },
      reason: { value: '<text>', about: 'why: it stays on record' },
    },
    run: async (umpire, args) => {
      const [request_id, user_id] = [args.get('escalation'), args.get('person')];
      if ((request_id === undefined) === (user_id === undefined)) throw new UsageError('name what is to go: --escalation <id> or --person <user>');
      const done = await umpire.post<Erasure>('/audit/erasures', { request_id, user_id, reason: args.need('reason') });
      return { json: done, text: table(ERASURES, [done]) };
    },
  },
  {
    name: 'audit erasures', takes: ['[<id>]'], as: 'admin',
    about: 'what was erased, or how far one is',
    options: PAGES,
    run: async (umpire, args) => {
      const [id] = args.names;
      if (id !== undefined) {
        const one = await umpire.get<Erasure>(`/audit/erasures/${encodeURIComponent(id)}`);
        return { json: one, text: table(ERASURES, [one]) };
      }
      const page = await umpire.list<Erasure>('/audit/erasures', {}, { limit: args.get('limit'), after: args.get('after'), all: args.on('all') });
      return { json: page, text: table(ERASURES, page.items, page.next) };
    },
  },
  {
    name: 'audit retention', takes: [], as: 'admin',
    about: 'how long content is kept after the end; with an option, from now on',
    options: Object.fromEntries(ENDS.map((end) => [end, { value: '<days>', about: `days for what was ${end}; forever: for good` }])),
    run: async (umpire, args) => {
      const before = await umpire.get<Rules>('/audit/retention');
      const wanted = Object.fromEntries(ENDS.map((end) => [`${end}_days`, daysIn(args, end) ?? before[`${end}_days`]]));
      const changed = ENDS.some((end) => args.get(end) !== undefined);
      const rules = changed ? await umpire.put<Rules>('/audit/retention', Object.fromEntries(Object.entries(wanted).map(([name, days]) => [name, days === 'forever' ? null : days]))) : before;
      return { json: rules, text: facts([...ENDS.map((end): [string, unknown] => [end, rules[`${end}_days`] === null ? 'for good' : `${rules[`${end}_days`]} days`]), ['changed by', rules.changed_by], ['changed at', rules.changed_at]]) };
    },
  },
  {
    name: 'audit keys', takes: [], as: 'admin',
    about: 'the keys that sign the record; with --rotate the next one',
    options: { rotate: { about: 'make the next key' }, overlap: { value: '<duration>', about: 'how long it is published before it signs (default 1h)' } },
    run: async (umpire, args) => {
      const overlap = args.get('overlap');
      const keys = args.on('rotate')
        ? await umpire.post<{ items: SigningKey[] }>('/audit/keys', overlap === undefined ? {} : { overlap_seconds: secondsOf('overlap', overlap) })
        : await umpire.get<{ items: SigningKey[] }>('/audit/keys');
      return { json: keys, text: table(KEYS, keys.items) };
    },
  },
  {
    name: 'receipt get', takes: ['<id>'], as: 'admin',
    about: 'the signed receipt of an outcome',
    options: { out: { value: '<file>', about: 'where its JWS goes' } },
    run: (umpire, args, _, place) => getReceipt(umpire, args, place.folder),
  },
  {
    name: 'receipt verify', takes: ['<file>'], as: 'nobody',
    about: 'check a receipt, offline: exit 1 if it is not as it was signed',
    options: { jwks: { value: '<file>', about: 'public keys that you trust' } },
    run: async (args, read) => {
      const opened = keysIn(args.need('jwks'), await read(args.need('jwks'))).open((await read(args.names[0]!)).trim(), RECEIPT_TYP);
      if (!opened.ok) return { json: { ok: false, why: opened.why }, text: `NOT VERIFIED: ${opened.why}`, exit: EXIT.refused };
      const receipt = JSON.parse(opened.signed.payload) as Receipt;
      return { json: { ok: true, kid: opened.signed.kid, receipt }, text: `verified, signed by ${opened.signed.kid}\n\n${told(receipt)}` };
    },
  },
];

async function getReceipt(umpire: Umpire, args: Arguments, folder: string) {
  const answer = await umpire.get<{ jws: string; receipt: Receipt }>(`/hitl/escalations/~${idToken(args.names[0]!)}/receipt`);
  const out = args.get('out');
  if (out !== undefined) await writeWhole(resolve(folder, out), (write) => write(`${answer.jws}\n`));
  return { json: answer, text: `${told(answer.receipt)}\n${out === undefined ? `\n${answer.jws}` : facts([['file', out]])}` };
}

function told({ namespace, request_id, outcome, votes, policy, chain, request_digest }: Receipt): string {
  return facts([
    ['namespace', namespace], ['id', request_id], ['outcome', outcome.state], ['verdict', outcome.verdict], ['source', outcome.source], ['decided by', outcome.decided_by.join(', ')], ['decided at', outcome.decided_at],
    ['votes', votes.map((vote) => `${vote.user_id}: ${vote.verdict}${vote.counted ? '' : ' (set aside)'}`).join(', ')], ['policy', policy && `${policy.id} version ${policy.version}`],
    ['request', request_digest ?? 'erased'], ['event', `${chain.seq}, ${chain.hash}`], ['checkpoint', chain.checkpoint === null ? 'not sealed yet' : `${chain.checkpoint.number}, ${chain.checkpoint.digest}`],
  ]);
}

/** @throws UsageError */
function daysIn(args: Arguments, end: string): number | 'forever' | undefined {
  const text = args.get(end);
  if (text === undefined || text === 'forever') return text;
  const days = Number(text);
  if (!Number.isInteger(days) || days < 1) throw new UsageError(`--${end} must be a number of days, or forever`);
  return days;
}
