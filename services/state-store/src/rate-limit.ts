import type { Principal } from '@umpire/contract';
import { counter, type Logger } from '@umpire/runtime';
import { Redis } from 'ioredis';
import { tlsOptions, type RedisServer } from './redis-server.ts';

const decisions = counter('umpire_store_rate_limit_total', 'Requests by where their allowance was counted, and whether they were refused', ['where', 'result']);

/** After a failure Redis is left alone this long: requests must not wait for a server that is away. */
const REST_MS = 1_000;
const LOCAL_BUCKETS = 10_000;

/** Requests a second in the long run, and at once. A rate of 0 is no limit. */
export type Allowance = { rate: number; burst: number };
export type RateKind = 'read' | 'write';

/**
 * A token bucket (Turner 1986), by Redis' own clock, in one step for all replicas. KEYS[1] the bucket; ARGV rate a second, burst,
 * cost. Returns 0, or in how many ms the cost would be there.
 */
const TAKE = `
  local rate, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
  local time = redis.call('TIME')
  local now = time[1] * 1000 + time[2] / 1000
  local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
  local tokens = math.min(burst, (tonumber(kept[1]) or burst) + math.max(0, now - (tonumber(kept[2]) or now)) * rate / 1000)
  local wait = 0
  if tokens >= cost then tokens = tokens - cost else wait = math.ceil((cost - tokens) * 1000 / rate) end
  redis.call('HSET', KEYS[1], 'tokens', tokens, 'at', now)
  redis.call('PEXPIRE', KEYS[1], math.ceil(burst * 1000 / rate) + 1000)
  return wait`;

type Scripted = Redis & { take(bucket: string, rate: number, burst: number, cost: number): Promise<number> };

/** How often each key may ask. Counted in Redis for all replicas together; while that is away, in each process for itself. */
export class RateLimiter {
  private readonly redis: Scripted | null;
  private readonly prefix: string;
  private readonly allowances: Record<RateKind, Allowance>;
  private readonly now: () => number;
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
    if (this.redis?.status === 'ready' && this.now() >= this.restUntil) {
      try {
        return ['redis', await this.redis.take(bucket, rate, burst, cost)];
      } catch {
        this.restUntil = this.now() + REST_MS;
      }
    }
    return ['local', this.takeLocally(bucket, { rate, burst }, cost)];
  }

  private takeLocally(bucket: string, { rate, burst }: Allowance, cost: number): number {
    const now = this.now();
    const kept = this.local.get(bucket) ?? { tokens: burst, at: now };
    const tokens = Math.min(burst, kept.tokens + (Math.max(0, now - kept.at) * rate) / 1_000);
    const enough = tokens >= cost;
    // Last in, last out: what has not been asked for longest is forgotten first.
    this.local.delete(bucket);
    this.local.set(bucket, { tokens: enough ? tokens - cost : tokens, at: now });
    if (this.local.size > LOCAL_BUCKETS) this.local.delete(this.local.keys().next().value!);
    return enough ? 0 : Math.ceil(((cost - tokens) * 1_000) / rate);
  }
}
