import { STREAMS, type Namespaces, type StreamSpec } from '@umpire/contract';
import { backoffDelay } from '../backoff.ts';
import { delay } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { Loop } from '../loop.ts';
import type { Bus } from './bus.ts';
import { durabilityOf, serverIsRecent, serverVersion } from './durability.ts';
import { checkOwnTopology, ensureConsumers, ensureStreams } from './topology.ts';

const CHECK_EVERY_MS = 2_000;
const START_TRIES = 8;

/** Makes a service's streams and consumers at start, and again when somebody deleted them; with `check`, looks only. */
export class TopologyKeeper {
  private readonly bus: Bus;
  private readonly namespaces: Namespaces;
  private readonly logger: Logger;
  private readonly loop: Loop;

  constructor(bus: Bus, namespaces: Namespaces, logger: Logger) {
    this.bus = bus;
    this.namespaces = namespaces;
    this.logger = logger;
    this.loop = new Loop({ name: 'topology-keeper', intervalMs: CHECK_EVERY_MS, runOnce: () => this.ensure(), logger });
  }

  /** @throws the last error if the streams cannot be made within some tries */
  async start(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.ensure();
        break;
      } catch (error) {
        if (attempt >= START_TRIES) throw error;
        this.logger.warn({ err: error, attempt }, 'topology_not_ready');
        await delay(backoffDelay(attempt, { baseMs: 100, maxMs: 3_000 }));
      }
    }
    await this.sayWhatAcksAreWorth();
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  private async ensure(): Promise<number> {
    if (this.bus.topology === 'check') {
      await checkOwnTopology(this.bus, this.namespaces);
      return 0;
    }
    const created = await ensureStreams(this.bus);
    if (created.length > 0) this.logger.info({ streams: created }, 'streams_created');
    await ensureConsumers(this.bus, this.namespaces);
    return 0;
  }

  /** On a server that we did not configure an ack may mean less than on ours: said once, since nobody can see it later. */
  private async sayWhatAcksAreWorth(): Promise<void> {
    const own = (Object.values(STREAMS) as StreamSpec[]).filter(({ owner }) => owner === this.bus.service).map(({ name }) => this.bus.streamName(name));
    const version = serverVersion(this.bus.connection);
    const streams = await durabilityOf(this.bus.jsm, own);
    const weak = !serverIsRecent(version) || streams.some(({ worth }) => worth === 'lost at a restart');
    this.logger[weak ? 'warn' : 'info']({ server: version, streams }, 'acks_are_worth');
  }
}
