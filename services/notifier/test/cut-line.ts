import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** A line to a server that can be cut: open connections break off, new ones are refused, as when the server or the way to it is gone. */
export class CutLine {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private isCut = false;

  private constructor(target: { host: string; port: number }) {
    this.server = createServer((near) => {
      if (this.isCut) return void near.destroy();
      const far = connect(target);
      for (const [from, to] of [[near, far], [far, near]] as const) {
        this.sockets.add(from);
        from.pipe(to);
        from.on('error', () => to.destroy());
        from.once('close', () => {
          this.sockets.delete(from);
          to.destroy();
        });
      }
    });
  }

  /** @param url of the server @returns the line, and the url that leads over it */
  static async to(url: string): Promise<{ line: CutLine; url: string }> {
    const target = new URL(url);
    const line = new CutLine({ host: target.hostname, port: Number(target.port) });
    await new Promise<void>((resolve) => line.server.listen(0, '127.0.0.1', resolve));
    target.hostname = '127.0.0.1';
    target.port = String((line.server.address() as AddressInfo).port);
    return { line, url: target.toString() };
  }

  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  mend(): void {
    this.isCut = false;
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
