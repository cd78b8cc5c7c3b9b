import { Module, type DynamicModule, type OnApplicationBootstrap, type OnApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import { AUTHENTICATOR, AuthGuard, Bus, busOptions, connectPostgres, postgresOptions, RemoteAuthenticator, withDeadline, type DurableConsumer, type Loop, type ServiceContext, type Sql } from '@umpire/runtime';
import { Arming } from './arming.service.ts';
import { DatabaseClock } from './database-clock.ts';
import { FireLoop } from './fire.loop.ts';
import { Firing } from './firing.service.ts';
import { onEscalationEvents } from './on-escalation-event.consumer.ts';
import { overdueLoop } from './overdue.loop.ts';
import { pruneLoop } from './prune.loop.ts';
import { ReconcileLoop } from './reconcile.loop.ts';
import type { TimeoutSchedulerConfig } from './timeout-scheduler.config.ts';
import { TimersController } from './timers.controller.ts';
import { Timers } from './timers.service.ts';

const monotonic = () => performance.now();

/** Everything the scheduler runs on, started and stopped in order of flow. */
class Scheduler implements OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown {
  readonly authenticator: RemoteAuthenticator;
  readonly timers: Timers;
  private readonly bus: Bus;
  private readonly sql: Sql;
  private readonly firingSql: Sql;
  private readonly fire: FireLoop;
  private readonly consumer: DurableConsumer;
  private readonly background: (Loop | ReconcileLoop)[];

  constructor(config: TimeoutSchedulerConfig, { logger, readiness }: ServiceContext, bus: Bus, sql: Sql, firingSql: Sql) {
    this.bus = bus;
    this.sql = sql;
    this.firingSql = firingSql;
    const clock = new DatabaseClock(monotonic);
    const firing = new Firing({ sql: firingSql, bus, clock, logger, monotonic });
    const { leaseMs, applyBatch: batch, applyInFlight: inFlight, overdueMs, catchUpPerSecond, lookEveryMs } = config;
    this.fire = new FireLoop({ sql: firingSql, firing, clock, logger, monotonic, leaseMs, batch, inFlight, overdueMs, catchUpPerSecond, lookEveryMs });
    const arming = new Arming(sql, (namespace, wakeAt) => this.fire.armed(namespace, wakeAt));
    this.consumer = onEscalationEvents(bus, arming, logger);
    this.background = [new ReconcileLoop({ sql, bus, arming, logger, everyMs: config.reconcileMs }), pruneLoop(sql, logger), overdueLoop(sql, logger)];
    this.authenticator = new RemoteAuthenticator(bus, monotonic);
    this.timers = new Timers(sql);
    readiness.add('timeout-scheduler postgres', () => withDeadline(sql`select 1 from scheduler.sweeps limit 1`.execute(), 2_000, 'postgres'));
    readiness.add('timeout-scheduler nats', () => bus.ping());
  }

  onApplicationBootstrap(): void {
    this.fire.start();
    this.consumer.start();
    for (const loop of this.background) loop.start();
  }

  /** Stops arming before firing; timers under way are settled. */
  async onModuleDestroy(): Promise<void> {
    await Promise.all([this.consumer.stop(), ...this.background.map((loop) => loop.stop())]);
    await this.fire.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.bus.close(), this.sql.end({ timeout: 5 }), this.firingSql.end({ timeout: 5 })]);
  }
}

/**
 * A prepared statement keeps the plan that was made while the tables were still empty, until they are analysed, and any index of an
 * empty table looks as good as the key: arming 150 escalations then read all timers of their namespace 150 times (100 ms and more
 * at 4,000 timers). So arming is planned anew for each batch.
 */
const PLANNED_ANEW = { plan_cache_mode: 'force_custom_plan' };

/** Durable clocks: mirrors what escalations want as rows, and asks the state store about each when it is due. */
@Module({})
export class TimeoutSchedulerModule {
  static register(config: TimeoutSchedulerConfig, context: ServiceContext): DynamicModule {
    const connect = async () => {
      const logger = context.logger.child({ service: 'timeout-scheduler' });
      const postgres = postgresOptions(config, 'timeout-scheduler', logger);
      const firingConnections = config.applyInFlight + 2;
      const sql = connectPostgres({ ...postgres, max: Math.max(3, config.postgresPool - firingConnections), settings: PLANNED_ANEW });
      // A claim or a removal that a crash of the database undoes is only asked about again, so neither waits for the disk. Arming does.
      const firingSql = connectPostgres({ ...postgres, max: firingConnections, settings: { synchronous_commit: 'off' } });
      const bus = await Bus.connect(busOptions(config, 'timeout-scheduler', logger));
      return new Scheduler(config, { ...context, logger }, bus, sql, firingSql);
    };
    return {
      module: TimeoutSchedulerModule,
      controllers: [TimersController],
      providers: [
        AuthGuard,
        { provide: Scheduler, useFactory: connect },
        { provide: Timers, useFactory: (scheduler: Scheduler) => scheduler.timers, inject: [Scheduler] },
        { provide: AUTHENTICATOR, useFactory: (scheduler: Scheduler) => scheduler.authenticator, inject: [Scheduler] },
      ],
    };
  }
}
