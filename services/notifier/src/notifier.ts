import type { Server } from 'node:http';
import type { OnApplicationBootstrap, OnApplicationShutdown, OnModuleDestroy } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import { RemoteAuthenticator } from '@umpire/runtime';
import { ErasedContent } from './erased-content.service.ts';
import type { Foundation } from './foundation.ts';
import { onForget } from './on-forget.responder.ts';
import { OnEscalationEvent } from './on-escalation-event.consumer.ts';
import { People } from './people/people.ts';
import { Sockets } from './sockets/sockets.ts';
import { Webhooks } from './webhooks/webhooks.ts';

/** The whole service, made in order of need, started and stopped in order of flow. */
export class Notifier implements OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown {
  readonly authenticator: RemoteAuthenticator;
  readonly webhooks: Webhooks;
  readonly people: People;
  private readonly foundation: Foundation;
  private readonly http: HttpAdapterHost;
  private readonly sockets: Sockets;
  private readonly events: OnEscalationEvent;
  private readonly erased: ErasedContent;
  private stopForgetting: (() => Promise<void>) | null = null;

  constructor(foundation: Foundation, http: HttpAdapterHost) {
    this.foundation = foundation;
    this.http = http;
    this.authenticator = new RemoteAuthenticator(foundation.bus, foundation.clock.now);
    this.webhooks = new Webhooks(foundation);
    this.people = new People(foundation);
    this.sockets = new Sockets(foundation, this.authenticator);
    this.erased = new ErasedContent(foundation.sql, foundation.contents, foundation.logger);
    this.events = new OnEscalationEvent({ sql: foundation.sql, bus: foundation.bus, logger: foundation.logger, webhooks: this.webhooks.fanOut, people: this.people.fanOut, erased: this.erased });
  }

  onApplicationBootstrap(): void {
    this.webhooks.start();
    this.people.start();
    this.events.start();
    this.stopForgetting = onForget(this.foundation.bus, this.erased);
    this.sockets.start(this.http.httpAdapter.getHttpServer() as Server);
  }

  /** What comes in stops first; what is under way has its end. */
  async onModuleDestroy(): Promise<void> {
    this.webhooks.quiesce();
    await Promise.all([this.events.stop(), this.sockets.stop(), this.stopForgetting?.()]);
    await Promise.all([this.webhooks.stop(), this.people.stop()]);
  }

  /** HTTP is closed by now. */
  async onApplicationShutdown(): Promise<void> {
    await this.foundation.close();
  }
}
