import type { Parser as AsyncApiParser } from '@asyncapi/parser';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { STREAMS } from '../topology.ts';
import { asyncApiDocument } from './asyncapi.ts';
import { publishedSchemas } from './published.ts';

// Its ESM build cannot be loaded by Node; the CommonJS one can.
const { Parser } = createRequire(import.meta.url)('@asyncapi/parser') as { Parser: typeof AsyncApiParser };

const validator = () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  (addFormats as unknown as (ajv: Ajv2020) => void)(ajv);
  return ajv;
};

describe('published JSON Schemas', () => {
  it.each(Object.entries(publishedSchemas()))('%s is a valid 2020-12 schema', (_, schema) => {
    expect(schema['$schema']).toBe('https://json-schema.org/draft/2020-12/schema');
    const ajv = validator();
    expect(ajv.validateSchema(schema)).toBe(true);
    ajv.compile(schema);
  });

  it('tells a good message from a bad one', () => {
    const check = validator().compile(publishedSchemas()['interaction-message']!);
    const good = { type: 'hitl_interaction', payload: { pipeline_name: 'loans', step_name: 'check', data: { a: 1 } } };
    expect(check(good)).toBe(true);
    expect(check({ ...good, payload: { pipeline_name: 'loans' } })).toBe(false);
    expect(check.errors!.map((error) => error.params['missingProperty'])).toContain('step_name');
  });

  it('lets an older reader take a newer outcome', () => {
    const check = validator().compile(publishedSchemas()['outcome']!);
    const outcome = {
      id: '0192f0c1-1111-7abc-8def-000000000001', schema_version: '1.7', namespace: 'default', request_id: 'a/b', reason: 'custom_rule', state: 'expired', verdict: null,
      source: 'timeout', response: null, timeout_applied: true, votes: [], decided_by: [], decided_at: '2026-11-21T23:00:00.000Z', iterations: 0, seq: 2, added_later: true,
    };
    expect(check(outcome)).toBe(true);
    expect(check({ ...outcome, schema_version: '2.0' })).toBe(false);
  });
});

describe('the AsyncAPI document', () => {
  it('is accepted by the AsyncAPI parser without an error', async () => {
    const { document, diagnostics } = await new Parser().parse(JSON.stringify(asyncApiDocument()));
    expect(diagnostics.filter((diagnostic) => diagnostic.severity === 0).map((diagnostic) => `${diagnostic.path.join('.')}: ${diagnostic.message}`)).toEqual([]);
    expect(document!.version()).toBe('3.0.0');
  });

  it('has a channel for every subject of every stream', () => {
    const addresses = Object.values(asyncApiDocument()['channels'] as Record<string, { address: string }>).map((channel) => channel.address);
    for (const stream of Object.values(STREAMS)) {
      for (const subject of stream.subjects) {
        const matching = addresses.filter((address) => new RegExp(`^${address.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^.]+')}$`).test(subject));
        expect(matching, subject).toHaveLength(1);
      }
    }
  });
});
