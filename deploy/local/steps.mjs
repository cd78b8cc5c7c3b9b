const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 90;

/**
 * A live list of steps with their times. On a terminal the lines of running steps are redrawn; elsewhere each step is
 * one line, written when it has finished.
 *
 * `run(name, work)` calls `work(note)`, where `note(text)` shows a detail behind the name, and passes on its result or error.
 */
export class Steps {
  #out;
  #live;
  #quiet;
  #began = performance.now();
  #running = [];
  #drawn = 0;
  #timer;
  #frame = 0;

  constructor({ out = process.stderr, quiet = false } = {}) {
    this.#out = out;
    this.#quiet = quiet;
    this.#live = !quiet && out.isTTY && process.env.TERM !== 'dumb';
  }

  async run(name, work) {
    const step = { name, detail: '', began: performance.now() };
    this.#running.push(step);
    this.#animate();
    try {
      const result = await work((text) => {
        step.detail = text;
      });
      this.#finish(step, true);
      return result;
    } catch (error) {
      this.#finish(step, false);
      throw error;
    }
  }

  /** Writes a line above the running steps. */
  say(text) {
    if (this.#quiet) return;
    this.#erase();
    this.#out.write(`${text}\n`);
    this.#draw();
  }

  /** Seconds since the list began, as text: "8.2 s". */
  total() {
    return seconds(performance.now() - this.#began);
  }

  #finish(step, good) {
    this.#running = this.#running.filter((other) => other !== step);
    const detail = step.detail ? ` (${step.detail})` : '';
    this.say(`${this.#mark(good)} ${step.name}${detail}  ${this.#dim(seconds(performance.now() - step.began))}`);
    if (this.#running.length === 0) this.#rest();
  }

  #animate() {
    if (!this.#live || this.#timer) return;
    this.#timer = setInterval(() => {
      this.#frame += 1;
      this.#erase();
      this.#draw();
    }, FRAME_MS);
    this.#timer.unref();
  }

  #rest() {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #draw() {
    if (!this.#live) return;
    const width = Math.max(20, (this.#out.columns ?? 80) - 1);
    for (const step of this.#running) {
      const detail = step.detail ? ` (${step.detail})` : '';
      const line = `${FRAMES[this.#frame % FRAMES.length]} ${step.name}${detail}  ${seconds(performance.now() - step.began)}`;
      this.#out.write(`${[...line].slice(0, width).join('')}\n`);
    }
    this.#drawn = this.#running.length;
  }

  #erase() {
    if (this.#drawn > 0) this.#out.write(`\x1b[${this.#drawn}A\x1b[0J`);
    this.#drawn = 0;
  }

  #mark(good) {
    if (!this.#live) return good ? '✓' : '✗';
    return good ? '\x1b[32m✓\x1b[0m' : '\x1b[31m✗\x1b[0m';
  }

  #dim(text) {
    return this.#live ? `\x1b[2m${text}\x1b[0m` : text;
  }
}

export function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}
