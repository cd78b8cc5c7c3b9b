import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import { Loop, TopologyKeeper, withDeadline, type Bus, type DurableConsumer, type Logger, type Sql } from '@umpire/runtime';
import { AnswerInbox } from './answer.inbox.ts';
import type { IntakeConfig } from './intake.config.ts';
import { ReviewHandler, reviewConsumers } from './on-review.consumer.ts';
import { PolicyService } from './policy.service.ts';
import { ReviewPurge } from './review-purge.loop.ts';
import { pruneSuspects } from './suspect.queries.ts';
import { BUS, CONFIG, LOGGER, SQL } from './tokens.ts';

const SUSPECTS = { hours: 24, most: 10_000, everyMs: 10 * 60_000, withinMs: 5_000 };

/** Starts what runs beside the routes, and stops it in the right order: readers first, the connection last. */
@Injectable()
export class IntakeRunner implements OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown {
  private readonly bus: Bus;
  private readonly sql: Sql;
  private readonly policies: PolicyService;
  private readonly topology: TopologyKeeper;
  private readonly inbox: AnswerInbox;
  private readonly consumers: DurableConsumer[];
  private readonly purge: ReviewPurge;
  private readonly suspects: Loop;
  private stopping = false;

  constructor(
    @Inject(BUS) bus: Bus, @Inject(CONFIG) config: IntakeConfig, @Inject(LOGGER) logger: Logger, @Inject(AnswerInbox) inbox: AnswerInbox,
    @Inject(ReviewHandler) handler: ReviewHandler, @Inject(SQL) sql: Sql, @Inject(PolicyService) policies: PolicyService,
  ) {
    this.bus = bus;
    this.sql = sql;
    this.policies = policies;
    this.topology = new TopologyKeeper(bus, config.namespaces, logger);
    this.inbox = inbox;
    this.consumers = reviewConsumers(config.namespaces, bus, handler, logger);
    this.suspects = new Loop({ name: 'suspect-pruner', intervalMs: SUSPECTS.everyMs, logger, runOnce: () => withDeadline(pruneSuspects(sql, SUSPECTS.hours, SUSPECTS.most), SUSPECTS.withinMs, 'suspect prune') });
    this.purge = new ReviewPurge({ bus, intervalMs: config.purgeIntervalMs, logger });
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.topology.start();
    this.inbox.start();
    this.policies.start();
    // A message that was read without the policies would be decided by the wrong people.
    void this.policies.loaded.then(() => this.startConsumers());
    this.purge.start();
    this.suspects.start();
  }

  private startConsumers(): void {
    if (this.stopping) return;
    for (const consumer of this.consumers) consumer.start();
  }

  /** Posts that are still waiting go on: their answers come from other replicas, or they say `queued`. */
  async onModuleDestroy(): Promise<void> {
    this.stopping = true;
    await Promise.all([...this.consumers.map((consumer) => consumer.stop()), this.policies.stop(), this.purge.stop(), this.suspects.stop(), this.topology.stop()]);
  }

  async onApplicationShutdown(): Promise<void> {
    this.inbox.stop();
    await Promise.all([this.bus.close(), this.sql.end({ timeout: 5 })]);
  }
}
