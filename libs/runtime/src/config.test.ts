import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError, loadConfig, readTogether, type Env } from './config.ts';

const read = (service: string) => (env: Env) => loadConfig(service, { port: z.coerce.number().int(), natsUrl: z.string() }, env);

const faultsOf = (work: () => unknown): string[] => {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
};

describe('the configuration of a service', () => {
  it('takes its own variable before the one that all share', () => {
    expect(read('state-store')({ UMPIRE_PORT: '1', UMPIRE_STATE_STORE_PORT: '2', UMPIRE_NATS_URL: 'n' })).toEqual({ port: 2, natsUrl: 'n' });
  });

  it('names every bad key by the variable that holds it', () => {
    expect(faultsOf(() => read('intake')({ UMPIRE_INTAKE_PORT: 'x' }))).toEqual([expect.stringMatching(/^UMPIRE_INTAKE_PORT: /), expect.stringMatching(/^UMPIRE_NATS_URL: /)]);
  });

  it('names the faults of all services that start together, each once', () => {
    const faults = faultsOf(() => readTogether('all-in-one', { UMPIRE_NATS_URL: 'n', UMPIRE_B_PORT: '0.5' }, { a: read('a'), b: read('b'), c: read('c') }));
    expect(faults.map((fault) => fault.split(':')[0])).toEqual(['UMPIRE_PORT', 'UMPIRE_B_PORT']);
  });

  it('does not take a fault of the reader for one of the configuration', () => {
    expect(() => readTogether('all-in-one', {}, { a: () => { throw new RangeError('a fault'); } })).toThrow(RangeError);
  });
});
