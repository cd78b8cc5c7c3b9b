import type { ConsumerSpec } from '@umpire/contract';
import type { Logger } from '../logger.ts';
import { Loop } from '../loop.ts';
import { gauge } from '../metrics.ts';
import { withDeadline } from '../postgres/connect.ts';
import type { Bus } from './bus.ts';

const EVERY_MS = 5_000;
/** A stop waits for no more than this. */
const ASK_MS = 1_000;

/** Keeps gauges of how far durable consumers are behind their streams. Each replica tells the same: take the highest. */
export class ConsumerLag {
  private readonly bus: Pick<Bus, 'jsm' | 'streamName'>;
  private readonly specs: readonly Pick<ConsumerSpec, 'stream' | 'name'>[];
  private readonly loop: Loop;
  private readonly waiting = gauge('umpire_consumer_lag_messages', 'Messages of a stream that a durable consumer has not been handed yet', ['stream', 'consumer']);
  private readonly unacked = gauge('umpire_consumer_unacked_messages', 'Messages handed out and not acked yet', ['stream', 'consumer']);

  constructor(bus: Pick<Bus, 'jsm' | 'streamName'>, specs: readonly Pick<ConsumerSpec, 'stream' | 'name'>[], logger: Logger) {
    this.bus = bus;
    this.specs = specs;
    this.loop = new Loop({ name: 'consumer-lag', intervalMs: EVERY_MS, runOnce: () => this.measureOnce(), logger });
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** A consumer or a broker that is away says nothing new: others report that. */
  private async measureOnce(): Promise<number> {
    for (const { stream, name } of this.specs) {
      const info = await withDeadline(this.bus.jsm.consumers.info(this.bus.streamName(stream), name), ASK_MS, 'consumer info').catch(() => null);
      if (info === null) continue;
      this.waiting.set({ stream, consumer: name }, info.num_pending);
      this.unacked.set({ stream, consumer: name }, info.num_ack_pending);
    }
    return 0;
  }
}
