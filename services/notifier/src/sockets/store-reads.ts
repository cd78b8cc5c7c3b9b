import { decodeFrame, decodeUtf8, subjects, UmpireError, type ContentReader, type ItemsHeader, type ItemsQuery, type NotedRead, type NoteRequest, type PendingQuery } from '@umpire/contract';
import type { Audience } from './audience.ts';
import { readPending, type PendingPage } from './pending-page.ts';

const TIMEOUT_MS = 5_000;
const ASK = 64;
/** Most reads that one note may tell of. */
const NOTES = 200;

export type Asker = { request(subject: string, data: Uint8Array | string, timeoutMs: number): Promise<Uint8Array> };

/** An escalation as people see it now, and who does. */
export type Seen = Audience & { status: string; seq: number; text: string };

/** What sockets ask the store. */
export class StoreReads {
  private readonly bus: Asker;

  constructor(bus: Asker) {
    this.bus = bus;
  }

  /** A person's inbox: the first page and how many there are. @throws UmpireError `unavailable` */
  async pending(query: PendingQuery): Promise<PendingPage> {
    return readPending(await this.bus.request(subjects.query('pending'), JSON.stringify(query), TIMEOUT_MS));
  }

  /** Has the store write down what is about to be shown. @throws UmpireError `unavailable`: then it must not be */
  async note(namespace: string, reads: { reader: ContentReader; read: NotedRead }[]): Promise<void> {
    for (let from = 0; from < reads.length; from += NOTES) {
      await this.bus.request(subjects.note, JSON.stringify({ namespace, via: 'socket', reads: reads.slice(from, from + NOTES) } satisfies NoteRequest), TIMEOUT_MS);
    }
  }

  /**
   * @param reader for whom it is asked, where one person asks to see these; what goes to whoever it is addressed to has none
   * @returns what is known of each id, null for what is not. @throws UmpireError `unavailable`
   */
  async items(namespace: string, ids: string[], reader?: ContentReader): Promise<Map<string, Seen | null>> {
    const answers = new Map<string, Seen | null>();
    for (let open = ids; open.length > 0; ) {
      const query: ItemsQuery = { items: open.slice(0, ASK).map((request_id) => ({ namespace, request_id })), ...(reader ? { reader } : {}) };
      const { header, bodies } = decodeFrame<ItemsHeader>(await this.bus.request(subjects.query('items'), JSON.stringify(query), TIMEOUT_MS));
      header.items.forEach((item, index) => {
        answers.set(item.request_id, item.found ? { users: item.users, roles: item.roles, excluded: item.excluded, status: item.status, seq: item.seq, text: decodeUtf8(bodies[index]!) } : null);
      });
      const rest = open.filter((id) => !answers.has(id));
      // A reply may be cut where its size ends, but never before the first id.
      if (rest.length === open.length) throw new UmpireError('unavailable', 'the store left every id unanswered');
      open = rest;
    }
    return answers;
  }
}
