import { runService, startStandalone } from '@umpire/runtime';
import { readIntakeConfig } from './intake.config.ts';
import { IntakeModule } from './intake.module.ts';

await runService(() => startStandalone('intake', process.env, readIntakeConfig, (config, context) => IntakeModule.register(config, context)));
