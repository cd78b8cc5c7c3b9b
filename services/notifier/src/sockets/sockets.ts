import type { Server } from 'node:http';
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import { newReplicaName, type Authenticator, type Bus, type Logger } from '@umpire/runtime';
import type { NotifierConfig } from '../notifier.config.ts';
import { EventFeed } from './event-feed.ts';
import { EventWindow } from './event-window.ts';
import { Opening } from './opening.service.ts';
import { SocketHub } from './socket-hub.ts';
import { SocketServer } from './socket-server.ts';
import { StoreReads } from './store-reads.ts';

/** Everything that sockets run on. */
export class Sockets implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly http: HttpAdapterHost;
  private readonly feed: EventFeed;
  private readonly server: SocketServer;

  constructor(config: NotifierConfig, logger: Logger, bus: Bus, authenticator: Authenticator, http: HttpAdapterHost) {
    this.http = http;
    const reads = new StoreReads(bus);
    const window = new EventWindow(config.socketWindow);
    const hub = new SocketHub(reads, window);
    this.feed = new EventFeed({ bus, replica: newReplicaName(), logger, past: Math.min(config.socketWindow, config.socketWindowAtStart), handle: (events) => hub.dispatch(events) });
    const opening = new Opening({ hub, window, feed: this.feed, reads, logger });
    this.server = new SocketServer({ hub, opening, authenticator, logger, maxSockets: config.socketMax, heartbeatMs: config.socketHeartbeatMs, recheckMs: config.socketRecheckMs });
  }

  onApplicationBootstrap(): void {
    this.feed.start();
    this.server.start(this.http.httpAdapter.getHttpServer() as Server);
  }

  async onModuleDestroy(): Promise<void> {
    await this.server.stop();
    await this.feed.stop();
  }
}
