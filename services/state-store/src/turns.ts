/** So many may be at it at once; whoever comes then waits in line, in the order of coming. */
export class Turns {
  private line: ((whether: boolean) => void)[] = [];
  private free: number;
  private closed = false;

  constructor(most: number) {
    this.free = most;
  }

  /** How many wait. */
  get waiting(): number {
    return this.line.length;
  }

  /** @returns true when it is one's turn, to be given back by `end`; false if the line was dismissed */
  begin(): boolean | Promise<boolean> {
    if (this.closed) return false;
    if (this.free === 0) return new Promise<boolean>((resolve) => this.line.push(resolve));
    this.free -= 1;
    return true;
  }

  end(): void {
    const next = this.line.shift();
    if (next) next(true);
    else this.free += 1;
  }

  /** Sends away whoever waits. */
  dismiss(): void {
    for (const resolve of this.line.splice(0)) resolve(false);
  }

  /** From now on nobody has a turn any more. */
  close(): void {
    this.closed = true;
    this.dismiss();
  }
}
