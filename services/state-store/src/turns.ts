/** So many may be at it at once; whoever comes then waits in line. */
export class Turns {
  private readonly line: (() => void)[] = [];
  private free: number;

  constructor(most: number) {
    this.free = most;
  }

  /** @returns whether it had to wait; to be paired with `end` either way */
  async begin(): Promise<boolean> {
    if (this.free > 0) {
      this.free -= 1;
      return false;
    }
    await new Promise<void>((resolve) => this.line.push(resolve));
    return true;
  }

  end(): void {
    const next = this.line.shift();
    if (next) next();
    else this.free += 1;
  }
}
