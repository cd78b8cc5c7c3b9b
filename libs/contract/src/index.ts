export * from './reasons.ts';
export * from './errors.ts';
export * from './interaction.ts';
export * from './events.ts';
export * from './principal.ts';
export * from './subjects.ts';
export * from './topology.ts';
export * from './wire.ts';
