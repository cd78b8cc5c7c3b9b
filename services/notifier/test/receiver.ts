import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { eventually } from '@umpire/testing';

/** One request as the receiver got it. */
export type Received = { at: number; path: string; headers: Record<string, string>; body: string; id: string; event: string };

/** What the receiver does with a request; `received.length` counts it already. */
export type Behaviour = (request: Received, response: ServerResponse, socket: Socket) => void;

export const answer = (status: number, headers: Record<string, string> = {}): Behaviour => (_, response) => void response.writeHead(status, headers).end(status < 300 ? 'ok' : 'no');
export const hang: Behaviour = () => undefined;
export const reset: Behaviour = (_, __, socket) => void socket.resetAndDestroy();
/** Headers at once, then a byte now and then, for ever. */
export const drip: Behaviour = (_, response) => {
  response.writeHead(200);
  const timer = setInterval(() => response.write('.'), 100);
  response.once('close', () => clearInterval(timer));
};

/** A real HTTP server that records what it gets. */
export class Receiver {
  readonly received: Received[] = [];
  behave: Behaviour = answer(200);
  /** Requests that have come and have neither been answered in full nor given up by the sender. */
  underWay = 0;
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => void this.take(request, response));
    // Longer than the sender keeps a connection: both share a process, and one that is closed as it is used again would be a reset of ours.
    this.server.keepAliveTimeout = 120_000;
  }

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    await new Promise<void>((resolve) => receiver.server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get ids(): string[] {
    return this.received.map((request) => request.id);
  }

  /** Waits until at least so many requests have come. */
  async got(count: number, withinMs = 15_000): Promise<Received[]> {
    await eventually(`${count} requests, not ${this.received.length}`, () => this.received.length >= count, withinMs);
    return this.received;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const headers = request.headers as Record<string, string>;
    const received = { at: performance.now(), path: request.url!, headers, body, id: headers['webhook-id']!, event: (JSON.parse(body) as { event: string }).event };
    this.received.push(received);
    this.underWay += 1;
    response.once('close', () => (this.underWay -= 1));
    this.behave(received, response, request.socket);
  }
}
