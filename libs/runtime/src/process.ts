import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ConfigError } from './config.ts';
import type { Logger } from './logger.ts';

/** Longest that a stop may take: SIGTERM drains what is in flight within this time, ms. */
const STOP_WITHIN_MS = 9_000;

/**
 * Runs a service's start function, stops it on SIGTERM and SIGINT (a second signal, or ten seconds, ends it at once), and
 * prints a bad configuration as it is. Exit codes: 0 stopped, 1 could not start or did not stop in time.
 */
export async function runService(start: () => Promise<{ app: NestFastifyApplication; logger: Logger; close?: () => Promise<void> }>): Promise<void> {
  try {
    const { app, logger, close } = await start();
    let stopping = false;
    const stop = (signal: string) => {
      if (stopping) process.exit(1);
      stopping = true;
      logger.info({ signal }, 'stopping');
      setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
      void app.close().then(() => close?.()).then(() => process.exit(0), (error: unknown) => {
        logger.error({ err: error }, 'stop_failed');
        process.exit(1);
      });
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    process.on('unhandledRejection', (error) => logger.error({ err: error }, 'unhandled_rejection'));
  } catch (error) {
    process.stderr.write(error instanceof ConfigError ? `${error.message}\n` : `could not start: ${(error as Error).stack}\n`);
    process.exit(1);
  }
}
