import { baseConfig, loadConfig, parseSecretKeys, type Env } from '@umpire/runtime';
import { z } from 'zod';
import { parseAllowedRanges } from './webhooks/address-policy.ts';

const seconds = z.coerce.number().min(0.01).max(30 * 24 * 3600);

/** Whole configuration of the notifier. Times in milliseconds unless the name says otherwise. */
export const readNotifierConfig = (env: Env) =>
  loadConfig('notifier', {
    ...baseConfig,
    /** Base64 of 32 bytes that seal the webhook secrets; more, after commas, are older ones that only open. */
    secretKey: z.string({ error: 'base64 of 32 random bytes is needed (openssl rand -base64 32)' }).transform((text, context) => parsed(parseSecretKeys(text), context)),
    /** Private addresses that webhooks may go to: CIDRs and `loopback`, comma separated. Empty: public addresses only. */
    webhookAllowPrivate: z.string().default('').transform((text, context) => parsed(parseAllowedRanges(text), context)),
    /** Whether plain http may go to public addresses too. To allowed private ones it always may. */
    webhookAllowHttp: z.enum(['true', 'false']).default('false').transform((text) => text === 'true'),
    /** One attempt, from name resolution to the last byte. */
    webhookTimeoutMs: z.coerce.number().int().min(100).max(60_000).default(15_000),
    /** Sends at a time to one endpoint that sets no own bound, and to all, in each replica. */
    webhookConcurrency: z.coerce.number().int().min(1).max(1_000).default(20),
    webhookMaxInFlight: z.coerce.number().int().min(1).max(10_000).default(1_024),
    /** Waits after the first, second, … failed attempt. */
    webhookRetrySeconds: z.string().default('5,300,1800,7200,18000,36000,36000').transform((text, context) => waits(text, context)),
    /** An endpoint that has only failed for this long is disabled. */
    webhookDisableAfterHours: z.coerce.number().min(0.001).max(24 * 365).default(120),
    /** How long a rotated secret still signs. */
    webhookRotationHours: z.coerce.number().min(0.001).max(24 * 30).default(24),
    /** How long a taken delivery is held without a sign of life before another replica may take it. */
    webhookLeaseMs: z.coerce.number().int().min(1_000).max(120_000).default(10_000),
    /** Slowest poll for deliveries that nobody in this process knows of. */
    webhookPollMs: z.coerce.number().int().min(50).max(60_000).default(5_000),
    /** How long deliveries that are done are kept. */
    retentionDays: z.coerce.number().min(0.001).max(3_650).default(7),
    /** Bytes of recent payloads kept, so that a later event of the same escalation need not ask the store. */
    contentCacheBytes: z.coerce.number().int().min(0).max(2 ** 32).default(16 * 1024 * 1024),
    /** Where mail goes out: `smtp://user:password@host:port` or `smtps://…`. Without it there are no mail channels. */
    smtpUrl: z.string().regex(/^smtps?:\/\//, 'must be smtp:// or smtps://').optional(),
    mailFrom: z.string().max(320).default('Umpire <umpire@localhost>'),
    /** Waits after the first, second, … failed message to a person. */
    noticeRetrySeconds: z.string().default('15,60,300,1800').transform((text, context) => waits(text, context)),
    /** Events kept for sockets that come back with `since`, and how many of the stream's last ones a start reads for that. */
    socketWindow: z.coerce.number().int().min(1).max(1_000_000).default(20_000),
    socketWindowAtStart: z.coerce.number().int().min(0).max(1_000_000).default(5_000),
    socketMax: z.coerce.number().int().min(1).max(100_000).default(10_000),
    socketHeartbeatMs: z.coerce.number().int().min(1_000).max(600_000).default(25_000),
    /** How often it is asked again who stands behind an open socket: a credential's end ends its sockets within this and two seconds. */
    socketRecheckMs: z.coerce.number().int().min(100).max(600_000).default(3_000),
  }, env);

export type NotifierConfig = ReturnType<typeof readNotifierConfig>;

function parsed<T>(result: { ok: true; value: T } | { ok: false; error: string }, context: z.RefinementCtx): T {
  if (result.ok) return result.value;
  context.addIssue({ code: 'custom', message: result.error });
  return z.NEVER;
}

function waits(text: string, context: z.RefinementCtx): number[] {
  const read = z.array(seconds).min(1).max(30).safeParse(text.split(','));
  return parsed(read.success ? { ok: true, value: read.data } : { ok: false, error: 'must be seconds, comma separated' }, context);
}
