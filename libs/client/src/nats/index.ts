export { UmpireNats, type SendOptions } from './client.ts';
export { natsOptionsFrom, type ConnectionFile, type NatsOptions, type ProducerLogin } from './connection-file.ts';
export { type OutcomeContext, type OutcomeHandler, type OutcomeReader, type OutcomesOptions } from './outcomes.ts';
