import { createLogger, Readiness, runService, startHttpApp, startTracing } from '@umpire/runtime';
import { AllInOneModule, readAllInOneConfig } from './all-in-one.module.ts';

await runService(async () => {
  const config = readAllInOneConfig(process.env);
  await startTracing('all-in-one', process.env);
  const logger = createLogger('all-in-one', config.stateStore.logLevel);
  const readiness = new Readiness();
  const { host, port } = config.stateStore;
  const app = await startHttpApp(AllInOneModule.register(config, { logger, readiness }), { host, port, logger, readiness, probesOnOrigin: true });
  logger.info({ port }, 'started');
  return { app, logger };
});
