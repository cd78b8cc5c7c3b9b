import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';

/**
 * A receiver as anyone would write it: one HTTP server, each request checked with the `standardwebhooks` package before a
 * byte of it is believed. `onWebhook({id, text, body, type})` hears what passed, `onFault(text)` what did not.
 */
export async function startReceiver({ onWebhook, onFault }) {
  let webhook;
  const seen = new Set();
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    try {
      const body = webhook.verify(text, request.headers);
      response.writeHead(204).end();
      const id = request.headers['webhook-id'];
      // At least once: a repeat carries the same id.
      if (seen.has(id)) return;
      seen.add(id);
      onWebhook({ id, text, body, type: request.headers['x-event-type'] });
    } catch (error) {
      response.writeHead(400).end();
      onFault(`a webhook did not verify: ${error.message}`);
    }
  });
  await new Promise((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}/hitl`,
    trust: (secret) => {
      webhook = new Webhook(secret);
    },
    get verified() {
      return seen.size;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
