import { setFlagsFromString } from 'node:v8';
import type { DynamicModule } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ConfigError, type BaseConfig, type Env } from './config.ts';
import { startHttpApp } from './http/app.ts';
import { Readiness, startInternalServer } from './http/probes.ts';
import { createLogger, type Logger } from './logger.ts';
import { startTracing, stopTracing } from './tracing/tracing.ts';

/** What a service module is given by its process. */
export type ServiceContext = { logger: Logger; readiness: Readiness };

/** Starts one service in a process of its own: its routes on `port`, probes and metrics on `internalPort` (on `port` without one). */
export async function startStandalone<Config extends BaseConfig>(
  service: string,
  env: Env,
  readConfig: (env: Env) => Config,
  register: (config: Config, context: ServiceContext) => DynamicModule,
): Promise<{ app: NestFastifyApplication; logger: Logger; close: () => Promise<void> }> {
  const config = readConfig(env);
  await startTracing(service, env);
  const logger = createLogger(service, config.logLevel);
  const readiness = new Readiness();
  const probesOnOrigin = config.internalPort === undefined;
  // Before the service itself: one that waits for its servers lives, and must not be ended for that.
  let started = false;
  readiness.add(`${service} started`, async () => {
    if (!started) throw new Error('it is starting');
  });
  const internal = probesOnOrigin ? null : await startInternalServer(config.host, config.internalPort!, readiness);
  const app = await startHttpApp(register(config, { logger, readiness }), { host: config.host, port: config.port, logger, readiness, probesOnOrigin });
  started = true;
  logger.info({ port: config.port, internal_port: config.internalPort }, 'started');
  return { app, logger, close: async () => internal?.close() };
}

/**
 * V8's settings that `NODE_OPTIONS` does not take, so that they are set here.
 *
 * Objects stay young: V8 makes objects old from the first where many that one line of code made outlived a collection, as everything does that waits
 * under load. That is hardly ever taken back when the load is over, and each such object keeps what it refers to (the message's text) until the old
 * generation is collected. Those that do live long are promoted without it.
 *
 * The old generation is let grow by the same part between collections, whatever comes: by itself V8 lets it grow by a tenth where little is promoted,
 * so that all of a service's 20 MB were collected for every 2 or 3 that came, with both processors for some 40 ms. Where much is promoted it would be
 * half (of an old generation of 768 MB; twofold of 2,000), which takes more memory for the fewer collections.
 */
const tuneCollections = (): void => {
  setFlagsFromString('--no-allocation-site-pretenuring');
  setFlagsFromString('--heap-growing-percent=45');
};

/** Longest that a stop may take: SIGTERM drains what is in flight within this time, ms. */
export const STOP_WITHIN_MS = 9_000;

/**
 * Runs a service's start function, stops it on SIGTERM and SIGINT (a second signal, or ten seconds, ends it at once), and
 * prints a bad configuration as it is. Exit codes: 0 stopped, 1 could not start or did not stop in time.
 */
export async function runService(start: () => Promise<{ app: NestFastifyApplication; logger: Logger; close?: () => Promise<void> }>): Promise<void> {
  tuneCollections();
  try {
    const { app, logger, close } = await start();
    let stopping = false;
    const stop = (signal: string) => {
      if (stopping) process.exit(1);
      stopping = true;
      logger.info({ signal }, 'stopping');
      setTimeout(() => {
        logger.error({ within_ms: STOP_WITHIN_MS, open: countOf(process.getActiveResourcesInfo()) }, 'stop_took_too_long');
        process.exit(1);
      }, STOP_WITHIN_MS).unref();
      void app.close().then(() => close?.()).then(stopTracing).then(() => process.exit(0), (error: unknown) => {
        logger.error({ err: error }, 'stop_failed');
        process.exit(1);
      });
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    process.on('uncaughtException', (error) => {
      logger.fatal({ err: error }, 'uncaught_exception');
      process.exit(1);
    });
    process.on('unhandledRejection', (error) => logger.error({ err: error }, 'unhandled_rejection'));
  } catch (error) {
    process.stderr.write(error instanceof ConfigError ? `${error.message}\n` : `could not start: ${(error as Error).stack}\n`);
    process.exit(1);
  }
}

/** How many there are of each. */
const countOf = (names: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
};
