import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Product } from './product.ts';

/** A webhook receiver that notes when which event of which escalation came. */
export class Receiver {
  /** `<event> <request id>` → moment of its first receipt (performance.now()). */
  readonly seen = new Map<string, number>();
  received = 0;
  last = 0;
  /** What every call waits for, ms; the answer is sent all the same. */
  hangMs = 0;
  private readonly waiting = new Map<string, (at: number) => void>();
  private readonly hanging = new Set<ServerResponse>();
  private readonly server: Server;
  private id: string | null = null;

  private constructor() {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.take(Buffer.concat(chunks).toString('latin1'));
        if (this.hangMs === 0) return void response.writeHead(204).end();
        this.hanging.add(response);
        setTimeout(() => this.hanging.delete(response) && response.writeHead(204).end(), this.hangMs).unref();
      });
    });
    this.server.keepAliveTimeout = 60_000;
  }

  static async listen(): Promise<Receiver> {
    const receiver = new Receiver();
    await new Promise<void>((resolve) => receiver.server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  /** Listens, and registers itself as an endpoint of the namespace `default`. */
  static async register(product: Product, more: object = {}): Promise<Receiver> {
    const receiver = await Receiver.listen();
    const created = await product.request('POST', '/webhooks/endpoints', product.connection.keys.admin, { url: receiver.url, ...more });
    if (created.status !== 201) throw new Error(`endpoint was not created: ${created.status} ${created.text}`);
    receiver.id = (JSON.parse(created.text) as { id: string }).id;
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }

  /** The moment at which this event comes, or came. */
  moment(event: string, requestId: string): Promise<number> {
    const key = `${event} ${requestId}`;
    const seen = this.seen.get(key);
    return seen === undefined ? new Promise((resolve) => this.waiting.set(key, resolve)) : Promise.resolve(seen);
  }

  async close(product?: Product): Promise<void> {
    if (product && this.id) await product.request('DELETE', `/webhooks/endpoints/${this.id}`, product.connection.keys.admin);
    for (const response of this.hanging) response.writeHead(204).end();
    this.hanging.clear();
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  /** Ids of the bench are plain text, so they can be cut out without reading the whole body. */
  private take(text: string): void {
    const at = performance.now();
    this.received += 1;
    this.last = at;
    const event = /"event":"([a-z_]+)"/.exec(text)?.[1];
    const id = /"request_id":\s?"(bench\/[^"]+)"/.exec(text)?.[1];
    if (!event || !id) return;
    const key = `${event} ${id}`;
    if (!this.seen.has(key)) this.seen.set(key, at);
    this.waiting.get(key)?.(at);
    this.waiting.delete(key);
  }
}
