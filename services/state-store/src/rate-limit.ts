import type { Principal } from '@umpire/contract';
import { counter, type Logger } from '@umpire/runtime';
import { Redis } from 'ioredis';
import { tlsOptions, type RedisServer } from './redis-server.ts';

const decisions = counter('umpire_store_rate_limit_total', 'Requests by where their allowance was counted, and whether they were refused', ['where', 'result']);

/** After a failure Redis is left alone this long: requests must not wait for a server that is away. */
const REST_MS = 1_000;
/** Buckets that one process knows of. */
const MOST_BUCKETS = 10_000;
/** What is taken in advance is for this long. */
const SPARE_MS = 250;
/** Of a burst, at most so much is taken in advance by one process: of a small one, nothing. */
const SPARE_SHARE = 0.02;

/** Requests a second in the long run, and at once. A rate of 0 is no limit. */
export type Allowance = { rate: number; burst: number };
export type RateKind = 'read' | 'write';

/**
 * A token bucket (Turner 1986), by Redis' own clock, in one step for all replicas. KEYS[1] the bucket; ARGV rate a second, burst, cost, how many
 * more to take along if they are there, and how many come back unused. Returns 0 and how many were taken along, or in how many ms the cost would be there.
 */
const TAKE = `
  local rate, burst, cost, more, back = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
  local time = redis.call('TIME')
  local now = time[1] * 1000 + time[2] / 1000
  local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
  local tokens = math.min(burst, (tonumber(kept[1]) or burst) + math.max(0, now - (tonumber(kept[2]) or now)) * rate / 1000 + back)
  local wait, along = 0, 0
  if tokens >= cost then
    along = math.min(more, math.floor(tokens - cost))
    tokens = tokens - cost - along
  else wait = math.ceil((cost - tokens) * 1000 / rate) end
  redis.call('HSET', KEYS[1], 'tokens', tokens, 'at', now)
  redis.call('PEXPIRE', KEYS[1], math.ceil(burst * 1000 / rate) + 1000)
  return {wait, along}`;

type Scripted = Redis & { take(bucket: string, rate: number, burst: number, cost: number, more: number, back: number): Promise<[wait: number, along: number]> };
/** Tokens that Redis has given in advance, until when (ms), how many were used since it was asked last, and when that was. */
type Spare = { tokens: number; until: number; used: number; askedAt: number; asking: boolean };

/**
 * How often each key may ask. Counted in Redis for all replicas together; while that is away, in each process for itself. A key that asks much has some of
 * its allowance taken in advance, no more than it has just used, so that not every request waits for Redis; what is not used soon goes back.
 */
export class RateLimiter {
  private readonly redis: Scripted | null;
  private readonly prefix: string;
  private readonly allowances: Record<RateKind, Allowance>;
  private readonly now: () => number;
  private readonly spares = new Map<string, Spare>();
  private readonly local = new Map<string, { tokens: number; at: number }>();
  private restUntil = 0;

  constructor(options: RedisServer & { prefix: string; allowances: Record<RateKind, Allowance>; logger: Logger; now: () => number }) {
    this.prefix = options.prefix;
    this.allowances = options.allowances;
    this.now = options.now;
    this.redis = options.url === undefined ? null : (new Redis(options.url, {
      ...tlsOptions(options),
      enableOfflineQueue: false,
      connectTimeout: 2_000,
      commandTimeout: 100,
      maxRetriesPerRequest: 0,
      retryStrategy: (times) => Math.min(times * 200, 3_000),
      scripts: { take: { numberOfKeys: 1, lua: TAKE } },
    }) as Scripted);
    this.redis?.on('error', (error) => options.logger.debug({ err: error }, 'redis_error'));
  }

  /**
   * Takes `cost` requests from a key's allowance, or nothing.
   * @returns 0, or in how many ms it would be there
   */
  async take(principal: Principal, kind: RateKind, cost: number): Promise<number> {
    const { rate, burst } = this.allowances[kind];
    if (rate === 0) return 0;
    const bucket = `${this.prefix}${principal.namespace}:rate:${kind}:${principal.key_id}`;
    const fitting = Math.min(cost, burst);
    const [where, wait] = await this.count(bucket, { rate, burst }, fitting);
    decisions.inc({ where, result: wait === 0 ? 'allowed' : 'refused' });
    return wait;
  }

  close(): void {
    this.redis?.disconnect();
  }

  private async count(bucket: string, { rate, burst }: Allowance, cost: number): Promise<['redis' | 'local', number]> {
    if (this.takeSpare(bucket, cost)) return ['redis', 0];
    if (this.redis?.status === 'ready' && this.now() >= this.restUntil) {
      try {
        return ['redis', await this.takeShared(this.redis, bucket, { rate, burst }, cost)];
      } catch {
        this.restUntil = this.now() + REST_MS;
      }
    }
    return ['local', this.takeLocally(bucket, { rate, burst }, cost)];
  }

  private takeSpare(bucket: string, cost: number): boolean {
    const spare = this.spares.get(bucket);
    if (!spare || spare.tokens < cost || this.now() >= spare.until) return false;
    spare.tokens -= cost;
    spare.used += cost;
    return true;
  }

  private async takeShared(redis: Scripted, bucket: string, { rate, burst }: Allowance, cost: number): Promise<number> {
    const now = this.now();
    const known = this.spares.get(bucket);
    if (known?.asking) {
      const [wait] = await redis.take(bucket, rate, burst, cost, 0, 0);
      if (wait === 0) known.used += cost;
      return wait;
    }
    const more = known && now < known.askedAt + 2 * SPARE_MS ? Math.min(known.used, Math.floor(burst * SPARE_SHARE)) : 0;
    const spare: Spare = { tokens: 0, until: 0, used: 0, askedAt: now, asking: true };
    // Last in, last out: what has not been asked for longest is forgotten first.
    this.spares.delete(bucket);
    this.spares.set(bucket, spare);
    if (this.spares.size > MOST_BUCKETS) this.spares.delete(this.spares.keys().next().value!);
    try {
      const [wait, along] = await redis.take(bucket, rate, burst, cost, more, known?.tokens ?? 0);
      if (wait === 0) spare.used += cost;
      spare.tokens = along;
      spare.until = this.now() + SPARE_MS;
      return wait;
    } finally {
      spare.asking = false;
    }
  }

  private takeLocally(bucket: string, { rate, burst }: Allowance, cost: number): number {
    const now = this.now();
    const kept = this.local.get(bucket) ?? { tokens: burst, at: now };
    const tokens = Math.min(burst, kept.tokens + (Math.max(0, now - kept.at) * rate) / 1_000);
    const enough = tokens >= cost;
    this.local.delete(bucket);
    this.local.set(bucket, { tokens: enough ? tokens - cost : tokens, at: now });
    if (this.local.size > MOST_BUCKETS) this.local.delete(this.local.keys().next().value!);
    return enough ? 0 : Math.ceil(((cost - tokens) * 1_000) / rate);
  }
}
