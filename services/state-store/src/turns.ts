/** So many may be at it at once; what comes then waits in line, in the order of coming. */
export class Turns<Item> {
  private line: Item[] = [];
  private free: number;
  private closed = false;
  private readonly begin: (item: Item) => void;
  private readonly sendAway: (item: Item) => void;

  /**
   * @param begin called for an item when it is its turn, to be given back by `end`
   * @param sendAway called instead if the line was dismissed; neither may throw
   */
  constructor(most: number, begin: (item: Item) => void, sendAway: (item: Item) => void) {
    this.free = most;
    this.begin = begin;
    this.sendAway = sendAway;
  }

  /** How many wait. */
  get waiting(): number {
    return this.line.length;
  }

  take(item: Item): void {
    if (this.closed) return this.sendAway(item);
    if (this.free === 0) return void this.line.push(item);
    this.free -= 1;
    this.begin(item);
  }

  end(): void {
    const next = this.line.shift();
    if (next === undefined) this.free += 1;
    else this.begin(next);
  }

  /** Sends away what waits. */
  dismiss(): void {
    for (const item of this.line.splice(0)) this.sendAway(item);
  }

  /** From now on nothing has a turn any more. */
  close(): void {
    this.closed = true;
    this.dismiss();
  }
}
