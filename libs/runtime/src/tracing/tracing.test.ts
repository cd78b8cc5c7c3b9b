import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { currentTrace, inBatch, inSpan, readTrace, startTracing, step, stopTracing, tellSpan, traceFields, tracingOn } from './tracing.ts';

const PARENT = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

describe('tracing', () => {
  afterEach(() => stopTracing());

  it.each([
    {},
    { OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' },
    { OTEL_SDK_DISABLED: 'true', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' },
    { OTEL_EXPORTER_OTLP_HEADERS: 'a=b' },
  ])('is off with %o, and work runs as if it were not there', async (env) => {
    await startTracing('test', env);
    expect(tracingOn()).toBe(false);
    expect(readTrace(PARENT)).toBeUndefined();
    expect(await inSpan('x', { parent: PARENT }, async (span) => [span.context, currentTrace(), traceFields()])).toEqual([undefined, undefined, {}]);
    expect(await inBatch('x', [PARENT, undefined], { begin: true }, async (contexts) => contexts)).toEqual([undefined, undefined]);
    expect(tellSpan('x', { parent: PARENT })).toBeUndefined();
  });

  it.each([undefined, ['x'], '', 'nonsense', PARENT.toUpperCase(), `${PARENT}-more`, `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`, `ff-${PARENT.slice(3)}`])('does not go on from the header %o', async (header) => {
    await startTracing('test', { OTEL_TRACES_EXPORTER: 'otlp' });
    expect(readTrace(header)).toBeUndefined();
  });

  it('hands each item of a batch a context in its own trace, and begins one only where it is told to', async () => {
    await startTracing('test', { OTEL_TRACES_EXPORTER: 'otlp' });
    const [mine, none] = await inBatch('x', [PARENT, undefined], {}, async (contexts) => contexts);
    expect(mine).toMatch(/^00-a{32}-(?!b{16})[0-9a-f]{16}-01$/);
    expect(none).toBeUndefined();
    const begun = await inBatch('x', [PARENT, undefined], { begin: true }, async (contexts) => contexts);
    expect(begun[1]).toMatch(/^00-(?!a{32})[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(await inBatch('x', [undefined, undefined], {}, async () => currentTrace())).toBeUndefined();
  });

  it('makes steps only inside of something, and marks what threw', async () => {
    const bodies: any[] = [];
    const server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString('utf8'))).on('end', () => {
        bodies.push(JSON.parse(text));
        response.end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = endpoint;
    try {
      await startTracing('test', { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
      await step('alone', {}, async () => expect(currentTrace()).toBeUndefined());
      await expect(inSpan('outer', { parent: PARENT }, () => step('inner', {}, async () => {
        throw new Error('no');
      }))).rejects.toThrow('no');
      await stopTracing();
    } finally {
      delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
      server.close();
    }
    const spans = bodies.flatMap((body) => body.resourceSpans.flatMap((one: any) => one.scopeSpans.flatMap((scope: any) => scope.spans)));
    expect(spans.map((span: any) => [span.name, span.traceId, span.status.code]).sort()).toEqual([['inner', 'a'.repeat(32), 2], ['outer', 'a'.repeat(32), 2]]);
  });
});
