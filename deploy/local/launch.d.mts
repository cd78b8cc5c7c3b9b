import type { LocalServers } from './servers.mjs';

export interface ProducerLogin {
  user: string;
  pass: string;
  namespace: string;
  /** Given to the NATS client as it is, without a dot behind it. */
  inbox_prefix: string;
  /** Durable consumer on `HITL_OUTCOMES`; null in a namespace that declares none. */
  outcome_consumer: string | null;
}

export interface NamespaceAccess {
  nats: { producer: ProducerLogin };
  keys: { admin: string; producer: string; reviewers: { alice: string; bob: string; carol: string } };
}

/** The content of `connection.json`. */
export interface Connection extends NamespaceAccess {
  api_url: string;
  ws_url: string;
  nats_url: string;
  /** The superuser's. */
  postgres_url: string;
  redis_url: string;
  namespaces: Record<string, NamespaceAccess>;
}

export interface Umpire {
  origin: string;
  connection: Connection;
  connectionFile: string;
  /** Those that were started here, and not named by the environment. */
  servers: LocalServers;
  /** Resolves when the product has ended by itself. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Ends services first, then servers. */
  stop(): Promise<void>;
  /** Kills everything at once. */
  kill(): void;
}

export interface LaunchOptions {
  home: string;
  /** Of the origin; 0 takes a free one. Default 8080. */
  port?: number;
  /** Four service processes behind a gateway instead of one process. */
  split?: boolean;
  /** Hands every log line to `show`, not only warnings and errors. */
  verbose?: boolean;
  signal?: AbortSignal;
  show?: (line: string) => void;
  /** Changes what one service (or `gateway`) is given before it is started. */
  environment?: (name: string, env: Record<string, string>) => Record<string, string> | Promise<Record<string, string>>;
}

/** Runs the compiled product on a home and resolves when it is ready; rejects with a one-line `Trouble`. */
export function launch(options: LaunchOptions): Promise<Umpire>;
