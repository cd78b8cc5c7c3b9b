import type { Server } from 'node:http';
import type { RecheckingAuthenticator } from '@umpire/runtime';
import type { Foundation } from '../foundation.ts';
import { EventFeed } from './event-feed.ts';
import { EventWindow } from './event-window.ts';
import { Opening } from './opening.service.ts';
import { SocketHub } from './socket-hub.ts';
import { SocketServer } from './socket-server.ts';

/** Everything that sockets run on. */
export class Sockets {
  private readonly feed: EventFeed;
  private readonly server: SocketServer;

  /** @param graceMs how long the events are read on after the last socket has gone, if not as usual */
  constructor({ config, logger, clock, bus, replica, reads }: Foundation, authenticator: RecheckingAuthenticator, graceMs?: number) {
    const window = new EventWindow(config.socketWindow);
    const hub = new SocketHub(reads, window);
    this.feed = new EventFeed({
      bus, replica, logger, graceMs, past: Math.min(config.socketWindow, config.socketWindowAtStart), capacity: config.socketWindow,
      handle: (events) => hub.dispatch(events), skipped: () => window.clear(),
    });
    const opening = new Opening({ hub, window, feed: this.feed, reads, logger });
    this.server = new SocketServer({ hub, opening, authenticator, clock, logger, maxSockets: config.socketMax, heartbeatMs: config.socketHeartbeatMs, recheckMs: config.socketRecheckMs });
  }

  start(server: Server): void {
    this.server.start(server);
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await this.feed.stop();
  }
}
