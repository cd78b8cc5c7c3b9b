/** What is started as a process of its own. */
export const PROGRAMS: readonly string[];
/** The file that a program is started by. */
export function programOf(name: string): string;
/** @throws {Error} if the services were compiled after they were bundled, or not at all */
export function refuseStalePrograms(): void;
