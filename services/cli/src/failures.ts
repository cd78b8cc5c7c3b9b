import type { Problem } from '@umpire/contract';

/** What a shell is told. */
export const EXIT = { ok: 0, refused: 1, usage: 2, unreachable: 3, differs: 4 } as const;

/** The command line is not right: nothing was asked. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The server said no. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly problem: Partial<Problem> & { status: number };

  constructor(problem: Partial<Problem> & { status: number }) {
    super(problem.detail ?? problem.title ?? `status ${problem.status}`);
    this.problem = problem;
  }
}

/** There is no telling what the server would say: it cannot be reached, or cannot answer now. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}
