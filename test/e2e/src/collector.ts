import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export type CollectedSpan = { name: string; service: string; traceId: string; spanId: string; parentSpanId: string; links: string[]; attributes: Record<string, unknown>; failed: boolean };

/** A small OTLP/HTTP receiver: keeps every span that it is sent as JSON. */
export class Collector {
  readonly spans: CollectedSpan[] = [];
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (request.url === '/v1/traces') this.take(JSON.parse(Buffer.concat(chunks).toString('utf8')));
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
  }

  static async start(): Promise<Collector> {
    const collector = new Collector();
    await new Promise<void>((resolve) => collector.server.listen(0, '127.0.0.1', resolve));
    return collector;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  of(traceId: string): CollectedSpan[] {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private take(body: any): void {
    for (const { resource, scopeSpans } of body.resourceSpans) {
      const service = resource.attributes.find((one: any) => one.key === 'service.name').value.stringValue;
      for (const span of scopeSpans.flatMap((scope: any) => scope.spans)) {
        this.spans.push({
          name: span.name, service, traceId: span.traceId, spanId: span.spanId, parentSpanId: span.parentSpanId ?? '', links: (span.links ?? []).map((link: any) => link.traceId),
          attributes: Object.fromEntries((span.attributes ?? []).map(({ key, value }: any) => [key, Object.values(value)[0]])), failed: span.status?.code === 2,
        });
      }
    }
  }
}
