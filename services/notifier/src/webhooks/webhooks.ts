import type { OnApplicationBootstrap, OnApplicationShutdown, OnModuleDestroy } from '@nestjs/common';
import { newReplicaName, systemClock, withDeadline, type Bus, type Logger, type ServiceContext, type Sql } from '@umpire/runtime';
import type { NotifierConfig } from '../notifier.config.ts';
import { OnEscalationEvent } from '../on-escalation-event.consumer.ts';
import { AddressPolicy } from './address-policy.ts';
import { AttemptRecorder } from './attempt-recorder.ts';
import { ClaimLoop } from './claim.loop.ts';
import { ContentCache } from './content-cache.ts';
import { ContentService } from './content.service.ts';
import { DeliveryEngine } from './delivery.engine.ts';
import { releaseLeases } from './delivery.queries.ts';
import { DeliveryService } from './delivery.service.ts';
import { EndpointOpener } from './endpoint-opener.ts';
import { EndpointService } from './endpoint.service.ts';
import { FanOutService } from './fan-out.service.ts';
import { HttpSender } from './http-sender.ts';
import { LeaseLoop } from './lease.loop.ts';
import { NameResolver } from './name-resolver.ts';
import type { Reachability } from './pinned-connector.ts';
import { Sealer } from './sealer.ts';
import { UpkeepLoop } from './upkeep.loop.ts';

/** How long a stop waits for attempts that are under way, ms: within what the process is given to stop. */
const DRAIN_MS = 5_000;

/** Everything that webhooks run on, made in order of need, started and stopped in order of flow. */
export class Webhooks implements OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown {
  readonly bus: Bus;
  readonly endpoints: EndpointService;
  readonly deliveries: DeliveryService;
  private readonly sql: Sql;
  private readonly logger: Logger;
  private readonly sender: HttpSender;
  private readonly recorder: AttemptRecorder;
  private readonly engine: DeliveryEngine;
  private readonly events: OnEscalationEvent;
  private readonly claims: ClaimLoop;
  private readonly leases: LeaseLoop;
  private readonly upkeep: UpkeepLoop;

  constructor(config: NotifierConfig, { logger, readiness }: ServiceContext, sql: Sql, bus: Bus) {
    this.sql = sql;
    this.bus = bus;
    this.logger = logger;
    const sealer = new Sealer(config.secretKey);
    const reachability: Reachability = { policy: new AddressPolicy(config.webhookAllowPrivate), resolver: new NameResolver(), allowHttp: config.webhookAllowHttp };
    this.sender = new HttpSender({ ...reachability, timeoutMs: config.webhookTimeoutMs, clock: systemClock });
    this.recorder = new AttemptRecorder({ sql, logger, disableAfterHours: config.webhookDisableAfterHours, disabled: (row) => this.disabled(row) });
    this.engine = new DeliveryEngine({
      replica: newReplicaName(), sender: this.sender, recorder: this.recorder, logger, clock: systemClock, leaseMs: config.webhookLeaseMs,
      maxInFlight: config.webhookMaxInFlight, concurrency: config.webhookConcurrency, retrySeconds: config.webhookRetrySeconds,
    });
    const opener = new EndpointOpener(sealer, logger);
    const contents = new ContentService(bus, new ContentCache(config.contentCacheBytes));
    const refused = (event: { id: string; namespace: string }, why: string) => logger.warn({ event_id: event.id, namespace: event.namespace, why }, 'callback_refused');
    this.events = new OnEscalationEvent({ bus, logger, fanOut: new FanOutService({ sql, opener, contents, engine: this.engine, refused }) });
    this.claims = new ClaimLoop({ sql, engine: this.engine, opener, logger, pollMs: config.webhookPollMs });
    this.leases = new LeaseLoop({ sql, engine: this.engine, logger });
    this.upkeep = new UpkeepLoop({ sql, logger, retentionDays: config.retentionDays });
    this.endpoints = new EndpointService({ sql, sealer, reachability, claims: this.claims, upkeep: this.upkeep, rotationHours: config.webhookRotationHours });
    this.deliveries = new DeliveryService({ sql, claims: this.claims });
    readiness.add('notifier postgres', () => withDeadline(sql`select 1 from notifier.endpoints limit 1`.execute(), 2_000, 'postgres'));
    readiness.add('notifier nats', () => bus.ping());
  }

  onApplicationBootstrap(): void {
    this.leases.start();
    this.claims.start();
    this.events.start();
    this.upkeep.start();
  }

  /** Takes nothing new, lets attempts end, gives back what was not sent. */
  async onModuleDestroy(): Promise<void> {
    await Promise.all([this.events.stop(), this.claims.stop(), this.upkeep.stop()]);
    const unsent = await this.engine.stop(DRAIN_MS);
    await this.leases.stop();
    this.recorder.stop();
    if (unsent.length === 0) return;
    await withDeadline(releaseLeases(this.sql, unsent, this.engine.replica), 2_000, 'release').catch((error: unknown) => this.logger.warn({ err: error }, 'leases_not_released'));
  }

  /** HTTP is closed by now. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.sender.close(), this.bus.close(), this.sql.end({ timeout: 5 })]);
  }

  private disabled(row: { id: string; namespace: string; reason: string }): void {
    this.logger.warn({ endpoint_id: row.id, namespace: row.namespace, reason: row.reason }, 'endpoint_disabled');
    this.claims.changed();
    this.upkeep.wake();
  }
}
