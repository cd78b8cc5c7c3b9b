import { newReplicaName, Sealer, systemClock, withDeadline, type Bus, type Logger, type ServiceContext, type Sql } from '@umpire/runtime';
import type { NotifierConfig } from './notifier.config.ts';
import { StoreReads } from './sockets/store-reads.ts';
import { AddressPolicy } from './webhooks/address-policy.ts';
import { ContentCache } from './webhooks/content-cache.ts';
import { ContentService } from './webhooks/content.service.ts';
import { HttpSender } from './webhooks/http-sender.ts';
import { NameResolver } from './webhooks/name-resolver.ts';
import type { Reachability } from './webhooks/pinned-connector.ts';

/** What webhooks, sockets and messages to people share in one process. */
export class Foundation {
  readonly config: NotifierConfig;
  readonly logger: Logger;
  readonly sql: Sql;
  readonly bus: Bus;
  readonly replica = newReplicaName();
  readonly clock = systemClock;
  readonly sealer: Sealer;
  readonly reachability: Reachability;
  readonly sender: HttpSender;
  readonly contents: ContentService;
  readonly reads: StoreReads;

  constructor(config: NotifierConfig, { logger, readiness }: ServiceContext, sql: Sql, bus: Bus) {
    this.config = config;
    this.logger = logger;
    this.sql = sql;
    this.bus = bus;
    this.sealer = new Sealer(config.secretKey);
    this.reachability = { policy: new AddressPolicy(config.webhookAllowPrivate), resolver: new NameResolver(), allowHttp: config.webhookAllowHttp };
    this.sender = new HttpSender({ ...this.reachability, timeoutMs: config.webhookTimeoutMs, clock: this.clock });
    this.contents = new ContentService(bus, new ContentCache(config.contentCacheBytes));
    this.reads = new StoreReads(bus);
    readiness.add('notifier postgres', () => withDeadline(sql`select 1 from notifier.endpoints limit 1`.execute(), 2_000, 'postgres'));
    readiness.add('notifier nats', () => bus.ping());
  }

  async close(): Promise<void> {
    await Promise.all([this.sender.close(), this.bus.close(), this.sql.end({ timeout: 5 })]);
  }
}
