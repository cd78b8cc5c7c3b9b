/** Unfinished answers: the only thing that the page keeps in the browser, so that a dropped line or a sign-out loses nothing. */
export type Draft = { revision: number; values: Record<string, unknown> };

const PREFIX = 'umpire-draft:';
const MAX_DRAFTS = 200;
const keyOf = (namespace: string, userId: string, requestId: string): string => PREFIX + JSON.stringify([namespace, userId, requestId]);

/** Storage may be full or forbidden: then there is no draft, and nothing else changes. */
function tried<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}

export class Drafts {
  private readonly namespace: string;
  private readonly userId: string;

  constructor(namespace: string, userId: string) {
    this.namespace = namespace;
    this.userId = userId;
  }

  read(requestId: string): Draft | null {
    const text = tried(() => localStorage.getItem(keyOf(this.namespace, this.userId, requestId)));
    const value = text === null ? null : tried(() => JSON.parse(text) as Draft);
    return value !== null && typeof value === 'object' && typeof value.values === 'object' ? value : null;
  }

  keep(requestId: string, draft: Draft): void {
    tried(() => {
      const key = keyOf(this.namespace, this.userId, requestId);
      // The oldest goes when there are too many; most are answered, and gone, long before.
      localStorage.removeItem(key);
      const kept = Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
      if (kept.length >= MAX_DRAFTS) localStorage.removeItem(kept[0]!);
      localStorage.setItem(key, JSON.stringify(draft));
    });
  }

  drop(requestId: string): void {
    tried(() => localStorage.removeItem(keyOf(this.namespace, this.userId, requestId)));
  }
}
