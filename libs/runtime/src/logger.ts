import { pino, type Logger } from 'pino';

export type { Logger };

/** Fields that never reach a log line, wherever they stand at the top of an object or one below. */
const SECRET_FIELDS = ['password', 'pass', 'secret', 'key', 'token', 'authorization', 'cookie', 'natsPassword', 'postgresUrl', 'redisUrl', 'secretKey'];

/** A JSON logger: event name as message, fields beside it, secrets redacted here and nowhere else. */
export function createLogger(service: string, level: string): Logger {
  return pino({
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: '[redacted]' },
  });
}
