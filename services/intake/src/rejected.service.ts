import { JetStreamApiError, type StoredMsg } from '@nats-io/jetstream';
import { decodeUtf8, STREAMS, UmpireError, type DeadLetter } from '@umpire/contract';
import type { Bus } from '@umpire/runtime';

const STREAM_NOT_FOUND = 10_059;
/** Originals as long as this (base64) are left out of lists; one by one each is shown whole. */
const LONGEST_LISTED = 16 * 1024;
/** How many of the newest are searched for an id, before its place has to be named instead. */
const MOST_SEARCHED = 2_000;
const PAGE = 100;
const PLACES_KEPT = 10_000;

/** A dead letter with its place in the stream. `original` is left out of lists where it is long; `size` is that of the original, bytes. */
export type RejectedView = Omit<DeadLetter, 'original'> & { seq: number; rejected_at: string; size: number; original?: string };
export type RejectedPage = { items: RejectedView[]; next: string | null };

/**
 * Reads the dead letters' stream, one namespace at a time. The server finds a namespace's next message from a place on; there is no
 * way back, so the newest are found by windows that end where the last one began.
 */
export class RejectedLetters {
  private readonly bus: Bus;
  private readonly stream: string;
  private readonly places = new Map<string, number>();

  constructor(bus: Bus) {
    this.bus = bus;
    this.stream = bus.streamName(STREAMS.rejected.name);
  }

  /** @param before only what lies before this place in the stream; newest first */
  async list(namespace: string, before: number | undefined, limit: number): Promise<RejectedPage> {
    const found = await this.newest(namespace, before, limit + 1);
    const items = found.slice(0, limit);
    return { items, next: found.length > limit ? String(items.at(-1)!.seq) : null };
  }

  /**
   * @param reference the letter's id, or its place in the stream
   * @throws UmpireError `not_found`
   */
  async get(namespace: string, reference: string): Promise<RejectedView & { original: string }> {
    const seq = /^\d{1,15}$/.test(reference) ? Number(reference) : await this.placeOf(namespace, reference);
    const letter = seq === null || seq === 0 ? null : await this.at(namespace, seq);
    if (letter === null) throw new UmpireError('not_found', 'no rejected message has this id; one that is older than the newest two thousand is named by its seq');
    return letter;
  }

  private async at(namespace: string, seq: number): Promise<(RejectedView & { original: string }) | null> {
    const message = await orNone(this.bus.jsm.streams.getMessage(this.stream, { seq }));
    return message?.subject.startsWith(`hitl.${namespace}.rejected.`) ? viewOf(message) : null;
  }

  private async placeOf(namespace: string, id: string): Promise<number | null> {
    const known = this.places.get(id);
    // A stream that was lost and made again counts from one again.
    if (known !== undefined && (await this.at(namespace, known))?.id === id) return known;
    let before: number | undefined;
    for (let searched = 0; searched < MOST_SEARCHED; searched += PAGE) {
      const found = await this.newest(namespace, before, PAGE);
      const match = found.find((letter) => letter.id === id);
      if (match) return match.seq;
      if (found.length < PAGE) return null;
      before = found.at(-1)!.seq;
    }
    return null;
  }

  private async newest(namespace: string, before: number | undefined, wanted: number): Promise<RejectedView[]> {
    const info = await orNone(this.bus.jsm.streams.info(this.stream));
    if (info === null || info.state.messages === 0) return [];
    const { first_seq: first, last_seq: last } = info.state;
    const found: RejectedView[] = [];
    let end = Math.min(before ?? Infinity, last + 1);
    for (let span = wanted; end > first && found.length < wanted; ) {
      const start = Math.max(first, end - span);
      const window = await this.window(namespace, start, end, 4 * wanted);
      if (window === null) {
        // More than is wanted by far: look at its end only.
        span = Math.ceil(span / 8);
        continue;
      }
      found.push(...window.toReversed());
      end = start;
      span *= 4;
    }
    for (const letter of found) this.remember(letter);
    return found.slice(0, wanted);
  }

  /** @returns the namespace's letters from `start` to before `end`, oldest first; null if there are more than `most` */
  private async window(namespace: string, start: number, end: number, most: number): Promise<RejectedView[] | null> {
    const letters: RejectedView[] = [];
    for (let seq = start; seq < end; ) {
      // The client's type knows this form for direct gets only; the server takes it here as well.
      const next = { seq, next_by_subj: `hitl.${namespace}.rejected.*` };
      const message = await orNone(this.bus.jsm.streams.getMessage(this.stream, next));
      if (message === null || message.seq >= end) break;
      if (letters.length === most) return null;
      letters.push(listed(viewOf(message)));
      seq = message.seq + 1;
    }
    return letters;
  }

  private remember({ id, seq }: RejectedView): void {
    if (this.places.size >= PLACES_KEPT) this.places.delete(this.places.keys().next().value!);
    this.places.set(id, seq);
  }
}

function viewOf(message: StoredMsg): RejectedView & { original: string } {
  const letter = JSON.parse(decodeUtf8(message.data)) as DeadLetter;
  return { ...letter, seq: message.seq, rejected_at: message.time.toISOString(), size: Buffer.byteLength(letter.original, 'base64') };
}

function listed({ original, ...letter }: RejectedView & { original: string }): RejectedView {
  return original.length > LONGEST_LISTED ? letter : { ...letter, original };
}

/** No stream yet, nothing rejected. */
async function orNone<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) return null;
    throw error;
  }
}
