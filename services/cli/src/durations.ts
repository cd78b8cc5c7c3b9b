import { UsageError } from './failures.ts';

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 7 * 86_400 };

/** `90`, `90s`, `15m`, `12h`, `30d`, `2w` → seconds. @throws UsageError */
export function secondsOf(option: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)([smhdw]?)$/.exec(text);
  if (!match) throw new UsageError(`--${option} must be a duration such as 90s, 15m, 12h, 30d or 2w, not "${text}"`);
  return Number(match[1]) * UNITS[match[2] || 's']!;
}
