import { subjects, UmpireError, type ContentReader, type NotedRead, type NoteRequest } from '@umpire/contract';
import type { Bus } from '@umpire/runtime';

const NOTE_MS = 5_000;

/** What intake shows of what producers wrote, for the read log that the store keeps. */
export class ReadNotes {
  private readonly bus: Bus;

  constructor(bus: Bus) {
    this.bus = bus;
  }

  /** Resolves when it may be shown. @throws UmpireError `unavailable`: then it must not be */
  async note(namespace: string, reader: ContentReader, read: NotedRead): Promise<void> {
    await this.bus.request(subjects.note, JSON.stringify({ namespace, via: 'http', reads: [{ reader, read }] } satisfies NoteRequest), NOTE_MS);
  }

  /** A refusal that tells an outcome (a cancel that came late) is a read of it, by whoever is told. */
  async ofRefusal<T>(namespace: string, reader: ContentReader, work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      const { outcome, request_id } = error instanceof UmpireError ? error.extra : {};
      if (outcome !== undefined && typeof request_id === 'string') await this.note(namespace, reader, { what: 'outcome', request_id });
      throw error;
    }
  }
}
