import { connect, type Socket } from 'node:net';
import { eventually } from '@umpire/testing';
import { describe, expect, it } from 'vitest';
import type { Arena } from '../arena.ts';
import { internalPorts } from '../ports.ts';

const HEADERS = 'POST /api/escalations HTTP/1.1\r\nhost: umpire\r\ncontent-type: application/json\r\n';

/** What a slow client begins with, and never ends. */
const BEGINNINGS: Record<string, string> = {
  'says nothing': '',
  'never ends its headers': HEADERS,
  'never ends its body': `${HEADERS}content-length: 1000\r\n\r\n{"type":`,
  'sends chunks that never end': `${HEADERS}transfer-encoding: chunked\r\n\r\n5\r\n{"typ\r\n`,
  'never ends its upgrade': 'GET /ws/hitl/alice HTTP/1.1\r\nhost: umpire\r\nconnection: Upgrade\r\nupgrade: websocket\r\n',
};

const open: { name: string; socket: Socket; closed: boolean; timer: NodeJS.Timeout | null }[] = [];

/** Connections that drip, on every HTTP server of the product; they age while the other attacks run. */
export const slowness = {
  begin(arena: () => Arena) {
    describe('slow clients', () => {
      it('may connect to every server', async () => {
        const { port } = new URL(arena().stack.origin);
        const ports: [string, number][] = [['the gateway', Number(port)], ...(await internalPorts(arena().stack.home))];
        expect(ports.length).toBeGreaterThanOrEqual(9);
        for (const [server, number] of ports) {
          for (const [name, text] of Object.entries(BEGINNINGS)) {
            const socket = connect(number, '127.0.0.1');
            const one: (typeof open)[number] = { name: `${server}: ${name}`, socket, closed: false, timer: null };
            open.push(one);
            socket.on('error', () => undefined);
            socket.on('close', () => (one.closed = true));
            // What an unauthenticated client is told at once is no reason to keep its connection.
            socket.on('data', () => undefined);
            socket.write(text);
            // A byte now and then, so that nobody takes it for idle.
            if (name.startsWith('never ends')) one.timer = setInterval(() => socket.writable && socket.write(text.includes('\r\n\r\n') ? ' ' : 'x'), 1_000);
          }
        }
      });
    });
  },

  end(arena: () => Arena) {
    describe('slow clients, some time later', () => {
      it('have all been put out, and everybody else is served', async () => {
        await eventually('all were closed', () => open.every(({ closed }) => closed), 120_000).catch(() => undefined);
        expect(open.filter(({ closed }) => !closed).map(({ name }) => name)).toEqual([]);
        for (const { timer } of open) if (timer) clearInterval(timer);
        expect((await arena().stack.get('/session', arena().keys.alice)).status).toBe(200);
      });
    });
  },
};
