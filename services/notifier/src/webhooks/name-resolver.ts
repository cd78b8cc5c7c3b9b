import { lookup } from 'node:dns/promises';
import type { LookupAddress } from 'node:dns';

/** A lookup slower than this makes its host a suspect, ms. */
const SLOW_MS = 1_000;
const MAX_SUSPECTS = 1_000;

export type Lookup = (host: string) => Promise<LookupAddress[]>;

/** All addresses of a name by the system's resolver (hosts file and search domains included), in its order. */
export const systemLookup: Lookup = (host) => lookup(host, { all: true, order: 'verbatim' });

/**
 * Resolves names without letting one bad domain hold up the rest: the system's resolver works on a few shared threads, so
 * hosts whose last lookup failed or dragged wait in one lane of their own, and equal lookups under way are shared.
 */
export class NameResolver {
  private readonly lookup: Lookup;
  private readonly inFlight = new Map<string, Promise<LookupAddress[]>>();
  private readonly suspects = new Set<string>();
  private suspectLane: Promise<unknown> = Promise.resolve();

  constructor(resolveName: Lookup = systemLookup) {
    this.lookup = resolveName;
  }

  resolve(host: string): Promise<LookupAddress[]> {
    const shared = this.inFlight.get(host);
    if (shared) return shared;
    const work = (this.suspects.has(host) ? this.inSuspectLane(host) : this.timed(host)).finally(() => this.inFlight.delete(host));
    this.inFlight.set(host, work);
    return work;
  }

  private inSuspectLane(host: string): Promise<LookupAddress[]> {
    const turn = this.suspectLane.then(() => this.timed(host));
    this.suspectLane = turn.catch(() => undefined);
    return turn;
  }

  private async timed(host: string): Promise<LookupAddress[]> {
    const began = performance.now();
    let good = false;
    try {
      const addresses = await this.lookup(host);
      good = addresses.length > 0 && performance.now() - began < SLOW_MS;
      return addresses;
    } finally {
      if (good) this.suspects.delete(host);
      else this.suspect(host);
    }
  }

  private suspect(host: string): void {
    if (this.suspects.size >= MAX_SUSPECTS) this.suspects.delete(this.suspects.values().next().value!);
    this.suspects.add(host);
  }
}
