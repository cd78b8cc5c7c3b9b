/** A live list of steps with their times. */
export class Steps {
  constructor(options?: { quiet?: boolean });
  run<T>(name: string, work: (note: (text: string) => void) => Promise<T>): Promise<T>;
  say(text: string): void;
}
