import { Module, type DynamicModule, type OnApplicationBootstrap, type OnApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import type { EscalationState } from '@umpire/domain';
import { AUTHENTICATOR, AuthGuard, Bus, busOptions, connectPostgres, Loop, postgresOptions, systemClock, TopologyKeeper, withDeadline, type ServiceContext, type Sql } from '@umpire/runtime';
import { BulkResponses } from './bulk-respond.service.ts';
import { RenderingCache } from './cache.ts';
import { CommandController } from './command.controller.ts';
import { Commands } from './command.service.ts';
import { ConsoleController } from './console.controller.ts';
import { ConsoleFiles } from './console-files.ts';
import { DocsController } from './docs.controller.ts';
import { EscalationsController } from './escalations.controller.ts';
import { Explanations } from './explain.service.ts';
import { StoreGauges } from './gauges.loop.ts';
import { HitlController } from './hitl.controller.ts';
import { IdentityDelegationsController } from './identity-delegations.controller.ts';
import { IdentityGroupsController } from './identity-groups.controller.ts';
import { IdentityKeysController } from './identity-keys.controller.ts';
import { Identity } from './identity-services.ts';
import { Oidc } from './identity-oidc.ts';
import { IdentityOidcController } from './identity-oidc.controller.ts';
import { IdentitySessionsController } from './identity-sessions.controller.ts';
import { Tokens } from './identity-tokens.ts';
import { LegacyResponses } from './legacy-respond.service.ts';
import { Lists } from './list.service.ts';
import { onApply } from './on-apply.responder.ts';
import { onHistory } from './on-history.responder.ts';
import { onNote } from './on-note.responder.ts';
import { onQueries } from './on-query.responder.ts';
import { onSubmit } from './on-submit.responder.ts';
import { OpeningRoom } from './opening-room.ts';
import type { OutboxItem } from './outbox.queries.ts';
import { RateLimitInterceptor } from './rate-limit.interceptor.ts';
import { RateLimiter } from './rate-limit.ts';
import { OversightController } from './oversight.controller.ts';
import { OversightLoop } from './oversight.loop.ts';
import { OversightReads } from './oversight.service.ts';
import { PlannedSql } from './planned-sql.ts';
import { ReadHistory } from './read-history.service.ts';
import { ReadLog } from './read-log.ts';
import { Reads } from './read.service.ts';
import { ReadsController } from './reads.controller.ts';
import { AuditController } from './record/audit.controller.ts';
import { JwksController } from './record/jwks.controller.ts';
import { ReceiptController } from './record/receipt.controller.ts';
import { RecordKeeping } from './record/record-keeping.ts';
import { Relay } from './relay.service.ts';
import { Responses } from './respond.service.ts';
import { SchemasController } from './schemas.controller.ts';
import { SettledHints } from './settled-hints.ts';
import { oidcRules, tokenRules, type StateStoreConfig } from './state-store.config.ts';
import { StreamWatch } from './stream-watch.ts';
import { StatsController } from './stats.controller.ts';
import { StatsLoop } from './stats.loop.ts';
import { StatsReads } from './stats.service.ts';
import { StoreAuthenticator } from './store-authenticator.ts';
import { Submissions } from './submit.service.ts';
import { Transitions } from './transition.service.ts';

const READ_LOG_UPKEEP_MS = 3_600_000;
/** Batches of openings that are stored at once: one that a lock holds up does not hold up the next. */
const OPENING_LANES = 2;
/** Lists have connections of their own, which decisions do not wait for. */
const LIST_CONNECTIONS = 4;

/** Everything the store runs on, made in order of need, started and stopped in order of flow. */
class Store implements OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown {
  readonly reads: Reads;
  readonly responses: Responses;
  readonly bulk: BulkResponses;
  readonly legacy: LegacyResponses;
  readonly commands: Commands;
  readonly lists: Lists;
  readonly limiter: RateLimiter;
  readonly explanations: Explanations;
  readonly authenticator: StoreAuthenticator;
  readonly identity: Identity;
  readonly stats: StatsReads;
  readonly oversight: OversightReads;
  readonly readLog: ReadLog;
  readonly readHistory: ReadHistory;
  private readonly readLogLoop: Loop;
  readonly record: RecordKeeping;
  private readonly sql: Sql;
  private readonly ownPools: Sql[];
  private readonly bus: Bus;
  private readonly relayBus: Bus;
  private readonly cache: RenderingCache;
  private readonly hints: SettledHints;
  private readonly relay: Relay;
  private readonly transitions: Transitions;
  private readonly submissions: Submissions;
  private readonly topology: TopologyKeeper;
  private readonly statsLoop: StatsLoop;
  private readonly oversightLoop: OversightLoop;
  private readonly streams: StreamWatch;
  private readonly gauges: StoreGauges;
  private responders: (() => Promise<void>)[] = [];

  constructor(config: StateStoreConfig, { logger, readiness }: ServiceContext, { sql, openSqls, listSql }: { sql: Sql; openSqls: Sql[]; listSql: Sql | null }, bus: Bus, relayBus: Bus) {
    this.sql = sql;
    this.ownPools = [sql, ...openSqls, ...(listSql ? [listSql] : [])];
    const planned = new PlannedSql(sql, listSql);
    this.bus = bus;
    this.relayBus = relayBus;
    this.hints = new SettledHints(systemClock.now);
    this.cache = new RenderingCache({ url: config.redisUrl, tlsCa: config.redisTlsCa, prefix: config.redisPrefix, seconds: config.cacheSeconds, logger, now: systemClock.now });
    const allowance = (rate: number) => ({ rate, burst: Math.max(1, rate * config.rateBurstSeconds) });
    this.limiter = new RateLimiter({
      url: config.redisUrl, tlsCa: config.redisTlsCa, prefix: config.redisPrefix, allowances: { read: allowance(config.rateReads), write: allowance(config.rateWrites) }, logger, now: systemClock.now,
    });
    this.relay = new Relay(sql, relayBus, logger, (namespace, request_id) => this.hints.notify({ namespace, request_id }));
    const committed = (items: OutboxItem[], states: EscalationState[]) => {
      this.relay.publishSoon(items);
      this.cache.dropSoon(states);
    };
    this.transitions = new Transitions(sql, committed);
    this.submissions = new Submissions({ sql, lanes: openSqls, transitions: this.transitions, logger, committed: (items) => this.relay.publishSoon(items) });
    this.reads = new Reads(sql, this.cache, this.hints, planned);
    this.responses = new Responses(this.transitions);
    this.bulk = new BulkResponses(this.responses, logger);
    this.legacy = new LegacyResponses(sql, this.reads, this.responses, logger);
    this.commands = new Commands(sql, this.transitions, this.reads);
    this.lists = new Lists(sql, this.reads, planned);
    this.explanations = new Explanations(sql, this.reads);
    const tokens = tokenRules(config);
    this.authenticator = new StoreAuthenticator(sql, tokens ? new Tokens(tokens, logger) : null);
    const oidc = oidcRules(config);
    this.identity = new Identity(sql, this.authenticator, config.publicUrl, oidc && { flow: new Oidc(oidc, logger), name: config.oidcName, sessionSeconds: config.oidcSessionSeconds });
    this.stats = new StatsReads(sql);
    this.oversight = new OversightReads(sql);
    this.readLog = new ReadLog({ sql, logger, days: config.readLogDays, mode: config.readLog });
    this.readHistory = new ReadHistory(sql);
    this.readLogLoop = new Loop({ name: 'read-log', intervalMs: READ_LOG_UPKEEP_MS, runOnce: async () => (await this.readLog.upkeep(), 0), logger });
    this.statsLoop = new StatsLoop(sql, logger);
    this.oversightLoop = new OversightLoop(sql, logger);
    this.record = new RecordKeeping({
      sql, bus, reads: this.reads, logger, publicUrl: config.publicUrl, secretKeys: config.auditSecretKey ?? null,
      keyNamespace: config.auditKeyNamespace ?? Object.keys(config.namespaces)[0]!,
      checkpoints: { everySeconds: config.auditCheckpointSeconds, chains: config.auditCheckpointChains },
      erased: (items, states) => {
        this.relay.publishSoon(items);
        void this.cache.drop(states);
      },
    });
    this.topology = new TopologyKeeper(bus, config.namespaces, logger);
    this.gauges = new StoreGauges({ sql, bus, namespaces: config.namespaces, clock: systemClock, logger });
    this.streams = new StreamWatch(sql, bus, logger);
    readiness.add('state-store postgres', () => withDeadline(sql`select 1 from store.escalations limit 1`.execute(), 2_000, 'postgres'));
    // People read and decide without it; what is to be told waits in the outbox.
    readiness.tell('state-store nats', () => Promise.all([bus.ping(), relayBus.ping()]));
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.topology.start();
    // Where the relay publishes them: what it has told in this process already, it need not hear again.
    this.hints.listen(this.relayBus);
    this.relay.start();
    this.streams.start();
    this.submissions.start();
    this.statsLoop.start();
    this.oversightLoop.start();
    this.record.start();
    this.readLogLoop.start();
    this.gauges.start();
    this.responders = [onSubmit(this.bus, this.submissions, new OpeningRoom(() => this.relay.waiting), this.readLog), onApply(this.bus, this.transitions), onHistory(this.bus, this.sql), onNote(this.bus, this.readLog), ...onQueries({ bus: this.bus, sql: this.sql, reads: this.reads, authenticator: this.authenticator, log: this.readLog })];
    // Whoever is told that the store is ready may ask it.
    await this.bus.flush();
  }

  /** Stops what comes in first: requests in flight are answered, committed events are published. */
  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.responders.map((stop) => stop()));
    this.hints.close();
    await Promise.all([this.submissions.stop(), this.statsLoop.stop(), this.oversightLoop.stop(), this.record.stop(), this.readLogLoop.stop(), this.gauges.stop(), this.streams.stop(), this.topology.stop()]);
  }

  /** HTTP is closed by now. */
  async onApplicationShutdown(): Promise<void> {
    await this.relay.stop();
    await this.readLog.stop();
    this.limiter.close();
    await Promise.all([this.cache.close(), this.bus.close(), this.relayBus.close(), ...this.ownPools.map((pool) => pool.end({ timeout: 5 }))]);
  }
}

@Module({})
export class StateStoreModule {
  static register(config: StateStoreConfig, context: ServiceContext): DynamicModule {
    const connect = async () => {
      const logger = context.logger.child({ service: 'state-store' });
      const postgres = postgresOptions(config, 'state-store', logger);
      const sql = connectPostgres(postgres);
      const listSql = config.postgresPooled ? null : connectPostgres({ ...postgres, max: Math.min(LIST_CONNECTIONS, config.postgresPool), settings: { plan_cache_mode: 'force_generic_plan' } });
      const openSqls = Array.from({ length: OPENING_LANES }, () => connectPostgres({ ...postgres, max: 1 }));
      const connectBus = (echo: boolean) => Bus.connect({ ...busOptions(config, 'state-store', logger), echo });
      // nats-server writes (and syncs) what a connection publishes before it reads on: replies must not wait behind the relay's events.
      const [bus, relayBus] = await Promise.all([connectBus(true), connectBus(false)]);
      return new Store(config, { ...context, logger }, { sql, openSqls, listSql }, bus, relayBus);
    };
    return {
      module: StateStoreModule,
      controllers: [HitlController, EscalationsController, CommandController, SchemasController, DocsController, ReadsController, IdentityKeysController, IdentityGroupsController, IdentityDelegationsController, IdentitySessionsController, IdentityOidcController, ConsoleController, StatsController, OversightController, AuditController, JwksController, ReceiptController],
      providers: [
        AuthGuard,
        { provide: Store, useFactory: connect },
        { provide: StatsReads, useFactory: (store: Store) => store.stats, inject: [Store] },
        { provide: OversightReads, useFactory: (store: Store) => store.oversight, inject: [Store] },
        { provide: RecordKeeping, useFactory: (store: Store) => store.record, inject: [Store] },
        { provide: ConsoleFiles, useFactory: () => new ConsoleFiles(config.consoleFolder) },
        { provide: Reads, useFactory: (store: Store) => store.reads, inject: [Store] },
        { provide: Responses, useFactory: (store: Store) => store.responses, inject: [Store] },
        { provide: BulkResponses, useFactory: (store: Store) => store.bulk, inject: [Store] },
        { provide: LegacyResponses, useFactory: (store: Store) => store.legacy, inject: [Store] },
        { provide: Commands, useFactory: (store: Store) => store.commands, inject: [Store] },
        RateLimitInterceptor,
        { provide: RateLimiter, useFactory: (store: Store) => store.limiter, inject: [Store] },
        { provide: Lists, useFactory: (store: Store) => store.lists, inject: [Store] },
        { provide: ReadLog, useFactory: (store: Store) => store.readLog, inject: [Store] },
        { provide: ReadHistory, useFactory: (store: Store) => store.readHistory, inject: [Store] },
        { provide: Explanations, useFactory: (store: Store) => store.explanations, inject: [Store] },
        { provide: Identity, useFactory: (store: Store) => store.identity, inject: [Store] },
        { provide: AUTHENTICATOR, useFactory: (store: Store) => store.authenticator, inject: [Store] },
      ],
    };
  }
}
