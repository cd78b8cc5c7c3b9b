import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Seen = { method: string; path: string; headers: IncomingMessage['headers']; body: string };
export type Step = (response: ServerResponse, request: IncomingMessage) => void;

/** A server that fails as told, to see what a client makes of it: each request takes the next step, the last one stays. */
export class ScriptedServer {
  readonly seen: Seen[] = [];
  private readonly server: Server;
  private steps: Step[] = [];

  private constructor() {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.seen.push({ method: request.method!, path: request.url!, headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
        const step = this.steps.length > 1 ? this.steps.shift()! : this.steps[0]!;
        step(response, request);
      });
    });
  }

  static async start(): Promise<ScriptedServer> {
    const scripted = new ScriptedServer();
    await new Promise<void>((resolve) => scripted.server.listen(0, '127.0.0.1', resolve));
    return scripted;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  play(...steps: Step[]): void {
    this.steps = steps;
    this.seen.length = 0;
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

export const json = (status: number, body: unknown, headers: Record<string, string> = {}): Step => (response) =>
  void response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json', ...headers }).end(JSON.stringify(body));
export const problem = (status: number, code: string, more: object = {}, headers: Record<string, string> = {}): Step => json(status, { type: `urn:umpire:problem:${code}`, title: code, status, code, detail: `it is ${code}`, ...more }, headers);
export const html = (status: number): Step => (response) => void response.writeHead(status, { 'content-type': 'text/html' }).end('<h1>a proxy</h1>');
export const reset: Step = (_, request) => void request.socket.destroy();
export const hang: Step = () => undefined;
