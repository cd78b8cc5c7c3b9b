import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import { TopologyKeeper, type Bus, type DurableConsumer, type Logger } from '@umpire/runtime';
import { AnswerInbox } from './answer.inbox.ts';
import type { IntakeConfig } from './intake.config.ts';
import { ReviewHandler, reviewConsumers } from './on-review.consumer.ts';
import { ReviewPurge } from './review-purge.loop.ts';
import { BUS, CONFIG, LOGGER } from './tokens.ts';

/** Starts what runs beside the routes, and stops it in the right order: readers first, the connection last. */
@Injectable()
export class IntakeRunner implements OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown {
  private readonly bus: Bus;
  private readonly topology: TopologyKeeper;
  private readonly inbox: AnswerInbox;
  private readonly consumers: DurableConsumer[];
  private readonly purge: ReviewPurge;

  constructor(
    @Inject(BUS) bus: Bus, @Inject(CONFIG) config: IntakeConfig, @Inject(LOGGER) logger: Logger, @Inject(AnswerInbox) inbox: AnswerInbox,
    @Inject(ReviewHandler) handler: ReviewHandler,
  ) {
    this.bus = bus;
    this.topology = new TopologyKeeper(bus, config.namespaces, logger);
    this.inbox = inbox;
    this.consumers = reviewConsumers(config.namespaces, bus, handler, logger);
    this.purge = new ReviewPurge({ bus, intervalMs: config.purgeIntervalMs, logger });
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.topology.start();
    this.inbox.start();
    for (const consumer of this.consumers) consumer.start();
    this.purge.start();
  }

  /** Posts that are still waiting go on: their answers come from other replicas, or they say `queued`. */
  async onModuleDestroy(): Promise<void> {
    await Promise.all([...this.consumers.map((consumer) => consumer.stop()), this.purge.stop(), this.topology.stop()]);
  }

  async onApplicationShutdown(): Promise<void> {
    this.inbox.stop();
    await this.bus.close();
  }
}
