/**
 * Given to a service by `--import`: its wall clock is off by FAULTS_CLOCK_OFF_MS, and by FAULTS_CLOCK_JUMP_MS more in every other three seconds.
 * Each change that the service gets to see is a line in its log: a case counts these.
 */
import { writeSync } from 'node:fs';

const off = Number(process.env.FAULTS_CLOCK_OFF_MS ?? 0);
const jump = Number(process.env.FAULTS_CLOCK_JUMP_MS ?? 0);
const Right = Date;
let told = 0;

function shift() {
  const now = off + (Math.floor(Right.now() / 3_000) % 2 === 0 ? 0 : jump);
  if (now !== told) {
    told = now;
    tell(now);
  }
  return now;
}

function tell(ms) {
  try {
    writeSync(2, `faults: the wall clock is off by ${ms} ms\n`);
  } catch {
    // A full pipe must not end the service; the case then counts one less.
  }
}

globalThis.Date = class Date extends Right {
  constructor(...given) {
    if (given.length === 0) super(Right.now() + shift());
    else super(...given);
  }

  static now() {
    return Right.now() + shift();
  }
};
