/** Given to a service by `--import`: its wall clock is off by FAULTS_CLOCK_OFF_MS, and by FAULTS_CLOCK_JUMP_MS more in every other three seconds. */
const off = Number(process.env.FAULTS_CLOCK_OFF_MS ?? 0);
const jump = Number(process.env.FAULTS_CLOCK_JUMP_MS ?? 0);
const Right = Date;
const shift = () => off + (Math.floor(Right.now() / 3_000) % 2 === 0 ? 0 : jump);

globalThis.Date = class Date extends Right {
  constructor(...given) {
    if (given.length === 0) super(Right.now() + shift());
    else super(...given);
  }

  static now() {
    return Right.now() + shift();
  }
};
