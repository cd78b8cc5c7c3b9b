import { WebSocket, type ClientOptions } from 'ws';
import { eventually } from '@umpire/testing';

export type Frame = { type: string; id?: string; seq?: number; event?: string; data?: any; total?: number; resync?: boolean; [field: string]: unknown };

/** A client that keeps every frame. */
export class SocketClient {
  readonly frames: Frame[] = [];
  readonly texts: string[] = [];
  readonly ws: WebSocket;
  closed: { code: number; reason: string } | null = null;

  private constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on('message', (data: Buffer) => {
      const text = data.toString();
      this.texts.push(text);
      if (text !== 'pong') this.frames.push(JSON.parse(text) as Frame);
    });
    ws.on('close', (code, reason) => (this.closed = { code, reason: reason.toString() }));
    ws.on('error', () => undefined);
  }

  /** Resolves when the socket is open. @throws Error with the HTTP status when it is refused */
  static async open(origin: string, path: string, options: ClientOptions): Promise<SocketClient> {
    const ws = new WebSocket(`${origin.replace('http', 'ws')}${path}`, options);
    const client = new SocketClient(ws);
    await new Promise<void>((resolve, reject) => {
      ws.once('open', resolve);
      ws.once('unexpected-response', (_, response) => {
        reject(new Error(`refused with ${response.statusCode}`));
        ws.terminate();
      });
      ws.once('error', reject);
    });
    return client;
  }

  /** Frames about events, without lists. */
  get events(): Frame[] {
    return this.frames.filter((frame) => frame.event !== undefined);
  }

  /** Waits for the first frame that fits. */
  wait(what: string, fits: (frame: Frame) => boolean, withinMs = 15_000): Promise<Frame> {
    return eventually(`${what} among ${JSON.stringify(this.frames.map(({ type, event, id }) => ({ type, event, id })))}`, () => this.frames.find(fits), withinMs);
  }

  list(): Promise<Frame> {
    return this.wait('the list', (frame) => frame.type === 'pending_interactions');
  }

  send(message: string | object): void {
    this.ws.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.ws.close();
    await eventually('closed', () => this.closed);
  }
}
