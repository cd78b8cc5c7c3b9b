import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A line to a server that a test can cut and mend. */
export class CuttableLine {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private cut = false;
  private frozen = false;

  private constructor(target: URL) {
    this.server = createServer((near) => {
      if (this.cut) return void near.destroy();
      const far = connect(Number(target.port), target.hostname);
      for (const [one, other] of [[near, far], [far, near]] as const) {
        this.sockets.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          this.sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
        if (this.frozen) one.pause();
      }
    });
  }

  static async to(target: string): Promise<CuttableLine> {
    const line = new CuttableLine(new URL(target));
    await new Promise<void>((resolve) => line.server.listen(0, '127.0.0.1', resolve));
    return line;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Ends every connection and refuses new ones. */
  down(): void {
    this.cut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  /** Goes on accepting, and passes nothing on in either direction. */
  freeze(): void {
    this.frozen = true;
    for (const socket of this.sockets) socket.pause();
  }

  thaw(): void {
    this.frozen = false;
    for (const socket of this.sockets) socket.resume();
  }

  up(): void {
    this.cut = false;
  }

  close(): Promise<void> {
    this.down();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}
