/** A service's environment with the flags that bound its memory; what `env` says itself wins. */
export function withMemoryBounds(env: Readonly<Record<string, string | undefined>>, name?: string): Record<string, string | undefined> & { NODE_OPTIONS: string; MALLOC_ARENA_MAX: string };
