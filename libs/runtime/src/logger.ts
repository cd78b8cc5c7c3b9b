import { pino, type Logger } from 'pino';
import { traceFields, tracingOn } from './tracing/tracing.ts';

export type { Logger };

/** Fields that never reach a log line, wherever they stand at the top of an object or one below. */
const SECRET_FIELDS = ['password', 'pass', 'secret', 'key', 'token', 'authorization', 'cookie', 'natsPassword', 'postgresUrl', 'redisUrl', 'secretKey'];

/** A JSON logger: event name as message, fields beside it, secrets redacted here and nowhere else. With tracing on, lines carry `trace_id`. */
export function createLogger(service: string, level: string): Logger {
  return pino({
    level,
    base: { service },
    ...(tracingOn() ? { mixin: traceFields } : {}),
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: '[redacted]' },
  });
}
