/** A stage as a queue: `servers` of them, each working on one batch at a time: `fixed` ms and `each` ms for every item, at most `batch`. */
export type Stage = { name: string; servers: number; batch: number; fixed: number; each: number; /** Whether an item's key decides its server (a partition), or any free one takes it (a group). */ keyed: boolean };

/** @returns the most that a stage carries, items a second: full batches on all servers. */
export const capacity = ({ servers, batch, fixed, each }: Stage): number => (servers * batch * 1000) / (fixed + batch * each);

type Server = { waiting: number[]; head: number; busy: boolean; worked: number };

/**
 * Lets `rate` items a second (Poisson arrivals, keys by `keyOf`) run through the stages one after the other for `seconds`.
 * @returns items done a second in the second half, the latency there, and how busy the busiest server of each stage was
 */
export function simulate(stages: readonly Stage[], rate: number, seconds: number, random: () => number, keyOf: () => number) {
  const events = new EventHeap();
  const servers = stages.map((stage) => Array.from({ length: stage.servers }, (): Server => ({ waiting: [], head: 0, busy: false, worked: 0 })));
  const turns = stages.map(() => 0);
  const born: number[] = [];
  const keys: number[] = [];
  const done: { at: number; took: number }[] = [];
  const end = seconds * 1000;

  const begin = (stage: number, index: number, now: number) => {
    const { batch, fixed, each } = stages[stage]!;
    const server = servers[stage]![index]!;
    const items = server.waiting.slice(server.head, server.head + batch);
    server.head += items.length;
    if (server.head > 10_000) {
      server.waiting.splice(0, server.head);
      server.head = 0;
    }
    const time = fixed + items.length * each;
    server.busy = true;
    if (now < end) server.worked += Math.min(time, end - now);
    events.push(now + time, () => {
      server.busy = false;
      for (const item of items) arrive(stage + 1, item, now + time);
      if (server.waiting.length > server.head) begin(stage, index, now + time);
    });
  };
  const arrive = (stage: number, item: number, now: number) => {
    if (stage === stages.length) return void done.push({ at: now, took: now - born[item]! });
    const all = servers[stage]!;
    const index = stages[stage]!.keyed ? keys[item]! % all.length : (turns[stage]! + 1) % all.length;
    turns[stage] = index;
    const server = all[index]!;
    server.waiting.push(item);
    if (!server.busy) begin(stage, index, now);
  };
  const next = (at: number) => {
    if (at >= end) return;
    events.push(at, () => {
      keys.push(keyOf());
      born.push(at);
      arrive(0, born.length - 1, at);
      next(at - (Math.log(1 - random()) * 1000) / rate);
    });
  };
  next(0);
  events.run(end);
  const late = done.filter(({ at }) => at >= end / 2);
  return { rate: (late.length * 1000) / (end / 2), latencies: late.map(({ took }) => took), busiest: servers.map((all) => Math.max(...all.map((server) => server.worked)) / end) };
}

/** A binary heap of things to do, by time. */
class EventHeap {
  private readonly times: number[] = [];
  private readonly actions: (() => void)[] = [];

  push(time: number, action: () => void): void {
    this.times.push(time);
    this.actions.push(action);
    for (let at = this.times.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (this.times[parent]! <= this.times[at]!) break;
      this.swap(at, parent);
      at = parent;
    }
  }

  /** Does everything that is due before `end`. */
  run(end: number): void {
    while (this.times.length > 0 && this.times[0]! <= end) this.pop()();
  }

  private pop(): () => void {
    const action = this.actions[0]!;
    this.swap(0, this.times.length - 1);
    this.times.pop();
    this.actions.pop();
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      if (left < this.times.length && this.times[left]! < this.times[least]!) least = left;
      if (right < this.times.length && this.times[right]! < this.times[least]!) least = right;
      if (least === at) return action;
      this.swap(at, least);
      at = least;
    }
  }

  private swap(a: number, b: number): void {
    [this.times[a], this.times[b]] = [this.times[b]!, this.times[a]!];
    [this.actions[a], this.actions[b]] = [this.actions[b]!, this.actions[a]!];
  }
}
