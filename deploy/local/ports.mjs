import { createServer } from 'node:net';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from './lock.mjs';

const LOWEST = 15_000;
const EPHEMERAL_DEFAULT = 32_768;
const ATTEMPTS = 200;

/**
 * Ports of one home by name. The same names get the same ports at the next start while those are free.
 *
 * Ports are taken below the kernel's ephemeral range: one inside it may be lent to an outgoing connection while our server
 * restarts, and a client that reconnects to a closed ephemeral port can even connect to itself.
 */
export class Ports {
  #file;
  #known;

  constructor(home) {
    this.#file = join(home, 'ports.json');
    this.#known = existsSync(this.#file) ? JSON.parse(readFileSync(this.#file, 'utf8')) : {};
  }

  /** The port for `name`: the remembered one if it is free, else a new free one. `fixed` overrides both. */
  async take(name, fixed) {
    if (fixed) return fixed;
    const known = this.#known[name];
    if (known && await isFree(known)) return known;
    return this.renew(name);
  }

  /** A new free port for `name`. */
  async renew(name) {
    const taken = new Set(Object.values(this.#known));
    const highest = ephemeralFloor() - 1;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const port = LOWEST + Math.floor(Math.random() * (highest - LOWEST));
      if (taken.has(port) || !await isFree(port)) continue;
      this.#known[name] = port;
      writeWhole(this.#file, `${JSON.stringify(this.#known, null, 2)}\n`);
      return port;
    }
    throw new Error(`no free port on 127.0.0.1 between ${LOWEST} and ${highest}`);
  }
}

function ephemeralFloor() {
  const file = '/proc/sys/net/ipv4/ip_local_port_range';
  const floor = existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : EPHEMERAL_DEFAULT;
  return floor > LOWEST + 1_000 ? floor : EPHEMERAL_DEFAULT;
}

/** Whether a server could listen on 127.0.0.1:`port` now. */
export function isFree(port) {
  return new Promise((done) => {
    const probe = createServer();
    probe.once('error', () => done(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => done(true)));
  });
}
