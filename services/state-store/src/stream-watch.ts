import { STREAMS } from '@umpire/contract';
import { Loop, withDeadline, type Bus, type Logger, type Sql } from '@umpire/runtime';
import { markStream, republishNext } from './stream-marks.queries.ts';

const LOOK_EVERY_MS = 2_000;
const STATEMENT_MS = 14_000;
/** A span of time that is put back at once grows while little is found in it, and shrinks where events are dense. Seconds, events. */
const SPAN = { least: 60, most: 7 * 24 * 3600, few: 2_000, many: 20_000 };
const WATCHED = [STREAMS.events.name, STREAMS.outcomes.name];

/**
 * Notices that a stream of ours is another than the one we published to, and publishes the kept window of events again: losing the
 * broker's events is delay, not loss. Consumers know what they have by event id and `seq`.
 */
export class StreamWatch {
  private readonly sql: Sql;
  private readonly bus: Bus;
  private readonly logger: Logger;
  private readonly loop: Loop;
  private span = SPAN.least;

  constructor(sql: Sql, bus: Bus, logger: Logger) {
    this.sql = sql;
    this.bus = bus;
    this.logger = logger;
    this.loop = new Loop({ name: 'stream-watch', intervalMs: LOOK_EVERY_MS, runOnce: () => this.lookOnce(), logger });
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  /** @returns how many windows were put back into the outbox: while there are more, the loop goes on at once */
  private async lookOnce(): Promise<number> {
    let windows = 0;
    for (const stream of WATCHED) {
      const { created } = await this.bus.jsm.streams.info(this.bus.streamName(stream));
      const lost = await withDeadline(markStream(this.sql, stream, String(created)), STATEMENT_MS, 'stream mark');
      if (lost) this.logger.warn({ stream, created }, 'stream_was_lost');
      const events = await withDeadline(republishNext(this.sql, stream, this.span), STATEMENT_MS, 'republish');
      if (events === null) continue;
      if (events < SPAN.few) this.span = Math.min(this.span * 4, SPAN.most);
      else if (events > SPAN.many) this.span = Math.max(this.span / 4, SPAN.least);
      windows += 1;
      if (events > 0) this.logger.info({ stream, events }, 'events_put_back');
    }
    return windows;
  }
}
