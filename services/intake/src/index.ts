export { IntakeModule } from './intake.module.ts';
export { readIntakeConfig, type IntakeConfig } from './intake.config.ts';
