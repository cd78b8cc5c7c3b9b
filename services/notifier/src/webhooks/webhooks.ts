import { withDeadline } from '@umpire/runtime';
import type { Foundation } from '../foundation.ts';
import { AttemptRecorder } from './attempt-recorder.ts';
import { ClaimLoop } from './claim.loop.ts';
import { DeliveryEngine } from './delivery.engine.ts';
import { releaseLeases } from './delivery.queries.ts';
import { DeliveryService } from './delivery.service.ts';
import { EndpointOpener } from './endpoint-opener.ts';
import { EndpointService } from './endpoint.service.ts';
import { FanOutService } from './fan-out.service.ts';
import { LeaseLoop } from './lease.loop.ts';
import { UpkeepLoop } from './upkeep.loop.ts';

/** How long a stop waits for attempts that are under way, ms: within what the process is given to stop. */
const DRAIN_MS = 5_000;

/** Everything that webhooks run on. */
export class Webhooks {
  readonly fanOut: FanOutService;
  readonly endpoints: EndpointService;
  readonly deliveries: DeliveryService;
  private readonly foundation: Foundation;
  private readonly recorder: AttemptRecorder;
  private readonly engine: DeliveryEngine;
  private readonly claims: ClaimLoop;
  private readonly leases: LeaseLoop;
  private readonly upkeep: UpkeepLoop;

  constructor(foundation: Foundation) {
    const { config, sql, logger, clock, sealer, reachability, sender, contents, replica } = foundation;
    this.foundation = foundation;
    this.recorder = new AttemptRecorder({ sql, logger, disableAfterHours: config.webhookDisableAfterHours, disabled: (row) => this.disabled(row) });
    this.engine = new DeliveryEngine({
      replica, sender, recorder: this.recorder, logger, clock, leaseMs: config.webhookLeaseMs, maxInFlight: config.webhookMaxInFlight, concurrency: config.webhookConcurrency,
      retrySeconds: config.webhookRetrySeconds, namespaces: Object.keys(config.namespaces),
    });
    const opener = new EndpointOpener(sealer, logger);
    const refused = (event: { id: string; namespace: string }, why: string) => logger.warn({ event_id: event.id, namespace: event.namespace, why }, 'callback_refused');
    this.fanOut = new FanOutService({ sql, opener, contents, engine: this.engine, refused });
    this.claims = new ClaimLoop({ sql, engine: this.engine, opener, logger, pollMs: config.webhookPollMs });
    this.leases = new LeaseLoop({ sql, engine: this.engine, logger });
    this.upkeep = new UpkeepLoop({ sql, logger, retentionDays: config.retentionDays });
    this.endpoints = new EndpointService({ sql, sealer, reachability, claims: this.claims, upkeep: this.upkeep, rotationHours: config.webhookRotationHours });
    this.deliveries = new DeliveryService({ sql, claims: this.claims });
  }

  start(): void {
    this.leases.start();
    this.claims.start();
    this.upkeep.start();
  }

  /** No attempt begins any more, though events may still be fanned out. */
  quiesce(): void {
    this.engine.quiesce();
  }

  /** Lets attempts end, gives back what was not sent. Nothing may be fanned out any more. */
  async stop(): Promise<void> {
    const { sql, logger } = this.foundation;
    await Promise.all([this.claims.stop(), this.upkeep.stop()]);
    const unsent = await this.engine.stop(DRAIN_MS);
    await this.leases.stop();
    this.recorder.stop();
    if (unsent.length === 0) return;
    await withDeadline(releaseLeases(sql, unsent, this.engine.replica), 2_000, 'release').catch((error: unknown) => logger.warn({ err: error }, 'leases_not_released'));
  }

  private disabled(row: { id: string; namespace: string; reason: string }): void {
    this.foundation.logger.warn({ endpoint_id: row.id, namespace: row.namespace, reason: row.reason }, 'endpoint_disabled');
    this.claims.changed();
    this.upkeep.wake();
  }
}
