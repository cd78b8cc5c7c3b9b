import { readFileSync } from 'node:fs';
import type { Product } from './product.ts';
import { Wire, type Answer } from './wire.ts';

export type Reply = { status: number; text: string };

/** Keeps connections to one origin, as a busy client does. */
export class Client {
  private readonly all: Wire[];
  private readonly free: Wire[];
  private readonly waiting: ((wire: Wire) => void)[] = [];
  private readonly headers: string;

  constructor(origin: string, key: string, connections = 64) {
    this.all = Array.from({ length: connections }, () => new Wire(origin));
    this.free = [...this.all];
    this.headers = `authorization: Bearer ${key}\r\ncontent-type: application/json\r\n`;
  }

  async send(method: 'GET' | 'POST', path: string, body = ''): Promise<Reply> {
    const { status, body: answer } = await this.exchange(method, path, body, true);
    return { status, text: answer.toString() };
  }

  /** @throws when the answer is not of the 200s */
  async ask(method: 'GET' | 'POST', path: string, body = ''): Promise<string> {
    const { status, text } = await this.send(method, path, body);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text.slice(0, 300)}`);
    return text;
  }

  /**
   * Takes an answer's bytes and leaves it at that: what a reader makes of 100 kB, hundreds of times a second, would be measured as the product's.
   * @returns how many bytes
   * @throws when the answer is not of the 200s
   */
  async take(path: string): Promise<number> {
    const { status, bytes, body } = await this.exchange('GET', path, '', false);
    if (status >= 300) throw new Error(`GET ${path}: ${status} ${body.toString().slice(0, 300)}`);
    return bytes;
  }

  private async exchange(method: string, path: string, body: string, keep: boolean): Promise<Answer> {
    const wire = this.free.pop() ?? (await new Promise<Wire>((resolve) => this.waiting.push(resolve)));
    try {
      return await wire.exchange(method, path, this.headers, body, keep);
    } finally {
      const next = this.waiting.shift();
      if (next) next(wire);
      else this.free.push(wire);
    }
  }

  async close(): Promise<void> {
    for (const wire of this.all) wire.close();
  }
}

/** A service's own origin in the split topology, behind the gateway. */
export async function originOf(product: Product, service: string): Promise<string> {
  const environment = readFileSync(`/proc/${(await product.pids())[service]}/environ`, 'utf8').split('\0');
  const value = (name: string) => environment.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
  return `http://127.0.0.1:${value('UMPIRE_PORT')}`;
}
