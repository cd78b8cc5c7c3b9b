import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { eventually } from '@umpire/testing';
import type { Stack } from './stack.ts';

export type Received = { id: string; event: string; requestId: string; seq: number; text: string; body: any; headers: Record<string, string> };

/** A real webhook receiver that keeps what it gets and verifies every signature with two published verifiers. */
export class Receiver {
  readonly received: Received[] = [];
  readonly faults: string[] = [];
  /** Told of each one that was taken. */
  onReceived: (webhook: Received) => void = () => undefined;
  /** How it answers; by default that it has taken it. */
  answer: (response: ServerResponse) => void = (response) => void response.writeHead(204).end();
  /** The endpoint's id. */
  id = '';
  private readonly server: Server;
  private secret = '';

  private constructor() {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.take(Buffer.concat(chunks).toString('utf8'), request.headers as Record<string, string>);
        this.answer(response);
      });
    });
  }

  /** Listens, and registers itself as an endpoint of the namespace. */
  static async register(stack: Stack, key = stack.connection.keys.admin, more: object = {}): Promise<Receiver> {
    const receiver = new Receiver();
    await new Promise<void>((resolve) => receiver.server.listen(0, '127.0.0.1', resolve));
    const { port } = receiver.server.address() as AddressInfo;
    const created = await stack.post('/webhooks/endpoints', key, { url: `http://127.0.0.1:${port}/hook`, ...more });
    if (created.status !== 201) throw new Error(`endpoint was not created: ${created.status} ${created.text}`);
    receiver.secret = created.body.secret;
    receiver.id = created.body.id;
    return receiver;
  }

  of(requestId: string): Received[] {
    return this.received.filter((webhook) => webhook.requestId === requestId);
  }

  waitFor(requestId: string, event: string, withinMs?: number): Promise<Received> {
    return eventually(`webhook ${event} of ${requestId}`, () => this.received.find((webhook) => webhook.requestId === requestId && webhook.event === event), withinMs);
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private take(text: string, headers: Record<string, string>): void {
    try {
      new Webhook(this.secret).verify(text, headers);
      new SvixWebhook(this.secret).verify(text, { 'svix-id': headers['webhook-id']!, 'svix-timestamp': headers['webhook-timestamp']!, 'svix-signature': headers['webhook-signature']! });
      const body = JSON.parse(text);
      if (headers['x-event-type'] !== 'hitl_escalation') throw new Error('X-Event-Type is not hitl_escalation');
      if (headers['webhook-id'] !== body.id) throw new Error('webhook-id is not the event id');
      const received = { id: body.id, event: body.event, requestId: body.request_id ?? body.escalation?.request_id, seq: body.seq, text, body, headers };
      this.received.push(received);
      this.onReceived(received);
    } catch (error) {
      this.faults.push(`${(error as Error).message}: ${text.slice(0, 200)}`);
    }
  }
}
