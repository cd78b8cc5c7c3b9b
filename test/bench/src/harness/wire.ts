import { connect, type Socket } from 'node:net';

export type Answer = { status: number; bytes: number; body: Buffer };

const READ_BYTES = 64 * 1024;
/** Servers end connections that were idle for a minute or so: one that has been idle for less is trusted, another is opened anew. */
const IDLE_MS = 30_000;
const HEAD_END = '\r\n\r\n';

/**
 * One connection of the load generator, which speaks just enough HTTP/1.1 for a service of ours: one request at a time, answers with a
 * `content-length`. What arrives is read into one buffer that is used again and again. Not a client for anything else: with undici, answers
 * of 115 kB from a server that only sends them took 10 to 15 ms at p99, for what the client's own collections did; like this 1 to 2 ms.
 */
export class Wire {
  private socket: Socket | null = null;
  private readonly host: string;
  private readonly port: number;
  private readonly buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  /** The beginning of a head whose end has not come yet. */
  private head: Buffer | null = null;
  private answer: Answer | null = null;
  private keep = false;
  /** Bytes of the body so far. */
  private received = 0;
  private lastAt = 0;
  private settle: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | null = null;

  constructor(origin: string) {
    const { hostname, port } = new URL(origin);
    this.host = hostname;
    this.port = Number(port);
  }

  /**
   * @param keep whether the body is wanted, or only how long it is (a refusal's is kept)
   * @throws when the connection breaks, or what comes is no such answer
   */
  async exchange(method: string, path: string, headers: string, body: string, keep: boolean): Promise<Answer> {
    if (performance.now() - this.lastAt > IDLE_MS) this.leave();
    this.socket ??= await this.open();
    this.keep = keep;
    return new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
      this.socket!.write(`${method} ${path} HTTP/1.1\r\nhost: ${this.host}:${this.port}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`);
    });
  }

  close(): void {
    this.socket?.destroy();
  }

  /** Leaves the connection to itself: nothing that it still says concerns the next. */
  private leave(): void {
    this.socket?.removeAllListeners('close').destroy();
    this.socket = null;
  }

  private open(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: this.host, port: this.port, noDelay: true, onread: { buffer: this.buffer, callback: (length, buffer) => this.take(Buffer.from(buffer.buffer, buffer.byteOffset, length)) } });
      socket.once('connect', () => resolve(socket));
      socket.on('error', (error) => {
        reject(error);
        this.fail(error);
      });
      socket.on('close', () => this.fail(new Error(`${this.host}:${this.port} closed the connection before it had answered`)));
    });
  }

  private fail(error: Error): void {
    this.socket = null;
    this.head = null;
    this.answer = null;
    this.settle?.reject(error);
    this.settle = null;
  }

  /** @returns true: go on reading */
  private take(chunk: Buffer): boolean {
    const rest = this.answer === null ? this.takeHead(chunk) : chunk;
    if (this.answer === null || rest === null) return true;
    const { body, bytes } = this.answer;
    if (body.length > 0) rest.copy(body, this.received);
    this.received += rest.length;
    if (this.received > bytes) this.socket?.destroy(new Error('more came than was asked for'));
    else if (this.received === bytes) this.done(this.answer);
    return true;
  }

  /** @returns what came behind the head, null before its end */
  private takeHead(chunk: Buffer): Buffer | null {
    const all = this.head === null ? chunk : Buffer.concat([this.head, chunk]);
    const end = all.indexOf(HEAD_END);
    if (end < 0) {
      // What it is read into is used again.
      this.head = Buffer.from(all);
      return null;
    }
    const text = all.toString('latin1', 0, end);
    const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
    const length = status === '204' ? '0' : /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
    if (status === undefined || length === undefined) {
      this.socket?.destroy(new Error(`no answer with a content-length: ${text.slice(0, 300)}`));
      return null;
    }
    this.answer = { status: Number(status), bytes: Number(length), body: Buffer.alloc(this.keep || Number(status) >= 300 ? Number(length) : 0) };
    this.received = 0;
    return all.subarray(end + HEAD_END.length);
  }

  private done(answer: Answer): void {
    const settle = this.settle;
    this.lastAt = performance.now();
    this.head = null;
    this.answer = null;
    this.settle = null;
    settle?.resolve(answer);
  }
}
