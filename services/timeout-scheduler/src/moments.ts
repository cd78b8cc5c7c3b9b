/** The next moment at which each namespace is to be looked at. Until it is taken it only moves closer. */
export class Moments {
  private readonly byNamespace = new Map<string, number>();

  /**
   * Notes a moment; of several for one namespace the soonest counts.
   * @returns whether it is now that namespace's soonest
   */
  note(namespace: string, at: number): boolean {
    const known = this.byNamespace.get(namespace);
    if (known !== undefined && known <= at) return false;
    this.byNamespace.set(namespace, at);
    return true;
  }

  /** Takes out at most `limit` namespaces whose moment has come, the longest untouched first: who is noted again goes to the end. */
  takeDue(now: number, limit: number): string[] {
    const due: string[] = [];
    for (const [namespace, at] of this.byNamespace) if (at <= now && due.length < limit) due.push(namespace);
    for (const namespace of due) this.byNamespace.delete(namespace);
    return due;
  }

  /** The soonest moment of all; Infinity when there is none. */
  get soonest(): number {
    let soonest = Number.POSITIVE_INFINITY;
    for (const at of this.byNamespace.values()) if (at < soonest) soonest = at;
    return soonest;
  }
}
