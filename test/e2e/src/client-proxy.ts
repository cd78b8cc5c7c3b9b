import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Transform } from 'node:stream';

/** A line to a server that a test can cut, hold up, slow down, or make lose what comes back. */
export class CuttableLine {
  /** What has happened to it so far: connections ended or refused, and bytes held, slowed down, and lost. */
  readonly tally = { cut: 0, held: 0, slowed: 0, dropped: 0 };
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private cut = false;
  private frozen = false;
  private deaf = false;
  private slowMs = 0;

  private constructor(target: URL) {
    this.server = createServer((near) => {
      if (this.cut) {
        this.tally.cut += 1;
        return void near.destroy();
      }
      const far = connect(Number(target.port), target.hostname);
      for (const [one, other] of [[near, far], [far, near]] as const) {
        this.sockets.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          if (this.frozen) this.tally.held += one.readableLength;
          this.sockets.delete(one);
          other.destroy();
        });
        one.pipe(this.passage(one === far)).pipe(other);
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
    // Two sockets are one connection.
    this.tally.cut += Math.ceil(this.sockets.size / 2);
    for (const socket of this.sockets) socket.destroy();
  }

  /** Goes on accepting, and passes nothing on in either direction. */
  freeze(): void {
    this.frozen = true;
    for (const socket of this.sockets) socket.pause();
  }

  thaw(): void {
    this.frozen = false;
    for (const socket of this.sockets) {
      this.tally.held += socket.readableLength;
      socket.resume();
    }
  }

  up(): void {
    this.cut = false;
  }

  /** Every piece takes this long in each direction, one after the other; 0 is full speed. */
  slow(ms: number): void {
    this.slowMs = ms;
  }

  /** What the server says is lost; what it is told arrives. */
  muffle(): void {
    this.deaf = true;
  }

  /** Ends the connections that have lost something, as their next byte would be out of place. */
  unmuffle(): void {
    this.deaf = false;
    for (const socket of this.sockets) socket.destroy();
  }

  private passage(back: boolean): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        if (back && this.deaf) {
          this.tally.dropped += chunk.length;
          return done();
        }
        if (this.slowMs === 0) return done(null, chunk);
        this.tally.slowed += chunk.length;
        setTimeout(() => done(null, chunk), this.slowMs);
      },
    });
  }

  close(): Promise<void> {
    this.down();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}
