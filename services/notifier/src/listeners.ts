import { anybodyListens, type Destinations } from './destinations.queries.ts';

/** What nobody listens for is only written down. */
const UNHEARD_REST_MS = 50;

/** Knows whether anybody listens in any namespace that events came from: as long as nobody does, batches rest. */
export class Listeners {
  private readonly namespaces = new Set<string>();

  /** @param destinations as they were found for a batch's events */
  note(destinations: ReadonlyMap<string, Destinations>): void {
    for (const [namespace, found] of destinations) {
      if (anybodyListens(found)) this.namespaces.add(namespace);
      else this.namespaces.delete(namespace);
    }
  }

  /** How long the next batch is to wait for others, ms. Whoever begins to listen meanwhile is noted with that batch, and hears its events later by no more than this. */
  get restMs(): number {
    return this.namespaces.size === 0 ? UNHEARD_REST_MS : 0;
  }
}
