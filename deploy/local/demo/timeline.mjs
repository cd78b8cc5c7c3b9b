/** What happened to one escalation, each with milliseconds since it was sent. Steps can be waited for. */
export class Timeline {
  #began = performance.now();
  #marks = new Map();
  #waiting = new Map();

  /** Notes a step; the first time of each counts. */
  mark(step, note = '') {
    if (this.#marks.has(step)) return;
    this.#marks.set(step, { at: performance.now() - this.#began, note });
    this.#waiting.get(step)?.resolve();
  }

  restart() {
    this.#began = performance.now();
  }

  /** Resolves once the step was noted; rejects when the signal aborts. */
  async until(step, signal) {
    if (this.#marks.has(step)) return;
    const waiting = this.#waiting.get(step) ?? Promise.withResolvers();
    this.#waiting.set(step, waiting);
    const giveUp = () => waiting.reject(new Error(`never came: ${step}`));
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    await waiting.promise.finally(() => signal.removeEventListener('abort', giveUp));
  }

  /** Milliseconds from one step to another; undefined unless both happened. */
  between(from, to) {
    const [first, last] = [this.#marks.get(from), this.#marks.get(to)];
    return first && last ? last.at - first.at : undefined;
  }

  /** One line a step, in the order in which they happened: time since the first, time since the one before. */
  lines() {
    let before = 0;
    return [...this.#marks].toSorted(([, one], [, other]) => one.at - other.at).map(([step, { at, note }]) => {
      const line = `  ${at.toFixed(1).padStart(8)} ms  ${`+${(at - before).toFixed(1)}`.padStart(8)}  ${step}${note ? `   ${note}` : ''}`;
      before = at;
      return line;
    });
  }
}

export const median = (values) => values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)];
