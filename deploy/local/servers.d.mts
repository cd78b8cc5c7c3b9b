/** One running server on 127.0.0.1. */
export interface LocalServer {
  readonly name: 'nats' | 'redis' | 'postgres';
  readonly port: number;
  /** Postgres: the superuser's, on database `umpire`. Redis: with its password. NATS: without credentials. */
  readonly url: string;
  /** Undefined while it does not run. */
  readonly pid: number | undefined;
  /** Starts it if it does not run, on the same port and data; resolves when it is ready. */
  start(): Promise<void>;
  /** Ends it in good order; safe to call again. */
  stop(): Promise<void>;
  /** Sends a signal (default SIGKILL, a crash) and waits for the end; not for SIGSTOP, SIGCONT and SIGHUP. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Stops it (with `signal: 'SIGKILL'`: crashes it) and starts it again on the same port and data. */
  restart(options?: { signal?: NodeJS.Signals }): Promise<void>;
}

export interface NatsLocalServer extends LocalServer {
  /** Takes over a new `accounts` block without a restart, but for accounts that are new: their imports need one. */
  reconfigure(auth: string): void;
}

export interface LocalServers {
  readonly nats: NatsLocalServer;
  readonly redis: LocalServer;
  readonly postgres: LocalServer;
  readonly home: string;
  /** Ends all three in good order and releases the home. */
  stop(): Promise<void>;
}

export interface ServerEvent {
  server: string;
  event: 'died' | 'restarted' | 'restart failed';
  code?: number | null;
  signal?: NodeJS.Signals | null;
  error?: unknown;
}

export interface StartServersOptions {
  /** Folder for data, logs, pid files and ports; made if absent; one launcher at a time. */
  home: string;
  /** Fixes some ports; others are free ones, the same at the next start on this home while still free. */
  ports?: Partial<Record<'nats' | 'redis' | 'postgres', number>>;
  /** Shows no steps. */
  quiet?: boolean;
  /** Text of the `accounts { … }` block; without it NATS asks nobody for a password. */
  natsAuth?: string;
  /** Which to start; default all three. Those left out are absent from the result. */
  only?: ReadonlyArray<'nats' | 'redis' | 'postgres'>;
  /** Restarts a server that dies by itself. */
  supervise?: boolean;
  onEvent?: (event: ServerEvent) => void;
}

/**
 * Starts nats-server (JetStream, `sync_interval: always`), Redis (cache only) and Postgres on free ports of 127.0.0.1 with
 * their data in `home`; brings missing programs; resolves when all are ready. Rejects with a one-line `Trouble`.
 */
export function startServers(options: StartServersOptions): Promise<LocalServers>;

/** Deletes a home and what it keeps elsewhere (under root, Postgres' data when the home lies in a private folder). */
export function removeHome(home: string): void;
