/**
 * A receiver of webhooks: registers itself, verifies each signature over the bytes as they came, answers at once, and handles each event
 * once. It ends with Ctrl-C. Arguments: [connection.json]
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UmpireClient, UmpireError, verifyWebhook, type WebhookEvent } from '@umpire/client';
import { readConnection } from './connection.ts';

const connection = readConnection();
const admin = new UmpireClient({ url: connection.api_url, key: connection.namespaces['default']!.keys.admin });
/** What was handled: in earnest, a table with the id as its key, in the transaction that does the work. */
const handled = new Set<string>();
let secret = '';

const server = createServer(async (request, response) => {
  try {
    const event = verifyWebhook(await bytesOf(request), request.headers, secret);
    // Any 2xx is an acknowledgement: give it once the event is safe, and do the work behind it.
    response.writeHead(204).end();
    if (handled.has(event.id)) return;
    handled.add(event.id);
    handle(event);
  } catch (error) {
    response.writeHead(error instanceof UmpireError ? error.status : 500).end();
    console.log(`refused: ${(error as Error).message}`);
  }
});

function handle({ event, request_id, seq, outcome }: WebhookEvent): void {
  // Deliveries may overtake each other; `seq` orders the events of one escalation.
  console.log(`${event} ${request_id ?? ''} seq ${seq}${outcome ? `: ${outcome.verdict ?? outcome.state}` : ''}`);
}

async function bytesOf(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const endpoint = await admin.webhooks.create({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, description: 'examples/webhook-receiver' });
// Shown this once; keep it where secrets are kept.
secret = endpoint.secret;
console.log(`listening as ${endpoint.id}`);

process.once('SIGINT', async () => {
  await admin.webhooks.remove(endpoint.id);
  server.closeAllConnections();
  server.close();
});
