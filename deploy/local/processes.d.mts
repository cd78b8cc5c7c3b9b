/** What tells this process apart from a later one under the same pid; undefined when no such process runs. */
export function identityOf(pid: number): string | undefined;
