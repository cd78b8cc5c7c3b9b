/**
 * Values by name, for what comes and goes by the thousand. Not a `Map` or `Set`: V8 links each table that one of these has outgrown to the
 * next (for iterators that stand in it), so that once such a table has become old garbage, all that come after it are kept with what they
 * held, and become old as well, until the old generation is collected. An object costs that generation the name alone, which V8 keeps as a property's.
 */
export class Registry<Value> {
  private values: Record<string, Value> = emptied();
  private count = 0;

  get size(): number {
    return this.count;
  }

  has(name: string): boolean {
    return this.values[name] !== undefined;
  }

  get(name: string): Value | undefined {
    return this.values[name];
  }

  set(name: string, value: NonNullable<Value>): void {
    if (!this.has(name)) this.count += 1;
    this.values[name] = value;
  }

  /** @returns whether it was there */
  delete(name: string): boolean {
    if (!this.has(name)) return false;
    delete this.values[name];
    this.count -= 1;
    return true;
  }

  /** @returns a copy of what is there, in the order of coming; names that are numbers come first */
  entries(): [name: string, value: Value][] {
    return Object.entries(this.values);
  }

  clear(): void {
    this.values = emptied();
    this.count = 0;
  }
}

/** Without a prototype: no name means anything else, and V8 takes it for a dictionary from the first. */
const emptied = <Value>() => Object.create(null) as Record<string, Value>;
