import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Takes webhooks, or refuses them. */
export class Hook {
  status = 204;
  readonly got: { event: string; request_id?: string }[] = [];
  private readonly server: Server = createServer((request, response) => {
    let text = '';
    request.on('data', (part: Buffer) => (text += part.toString())).on('end', () => {
      this.got.push(JSON.parse(text) as { event: string });
      response.writeHead(this.status).end(this.status === 204 ? undefined : 'no room');
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((done) => this.server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((done) => this.server.close(() => done()));
  }
}
