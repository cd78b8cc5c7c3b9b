import { readFileSync } from 'node:fs';
import { Pool } from 'undici';
import type { Product } from './product.ts';

export type Reply = { status: number; text: string };

/** Keeps connections to one origin, as a busy client does. */
export class Client {
  private readonly pool: Pool;
  private readonly key: string;

  constructor(origin: string, key: string, connections = 64) {
    this.pool = new Pool(origin, { connections });
    this.key = key;
  }

  async send(method: 'GET' | 'POST', path: string, body?: string): Promise<Reply> {
    const { statusCode, body: answer } = await this.pool.request({ method, path, headers: { authorization: `Bearer ${this.key}`, 'content-type': 'application/json' }, body: body ?? null });
    return { status: statusCode, text: await answer.text() };
  }

  /** @throws when the answer is not of the 200s */
  async ask(method: 'GET' | 'POST', path: string, body?: string): Promise<string> {
    const { status, text } = await this.send(method, path, body);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text.slice(0, 300)}`);
    return text;
  }

  /**
   * Takes an answer's bytes and leaves it at that: to make texts of 100 kB, hundreds a second, is work of the reader's, whose collections
   * would be measured as the product's.
   * @returns how many bytes
   * @throws when the answer is not of the 200s
   */
  async take(path: string): Promise<number> {
    const { statusCode, body: answer } = await this.pool.request({ method: 'GET', path, headers: { authorization: `Bearer ${this.key}` } });
    if (statusCode >= 300) throw new Error(`GET ${path}: ${statusCode} ${(await answer.text()).slice(0, 300)}`);
    let bytes = 0;
    for await (const chunk of answer as AsyncIterable<Buffer>) bytes += chunk.length;
    return bytes;
  }

  close(): Promise<void> {
    return this.pool.destroy();
  }
}

/** A service's own origin in the split topology, behind the gateway. */
export async function originOf(product: Product, service: string): Promise<string> {
  const environment = readFileSync(`/proc/${(await product.pids())[service]}/environ`, 'utf8').split('\0');
  const value = (name: string) => environment.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
  return `http://127.0.0.1:${value('UMPIRE_PORT')}`;
}
