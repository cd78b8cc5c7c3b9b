import { readFileSync } from 'node:fs';
import type { RedisOptions } from 'ioredis';

/** Where Redis is (`rediss://` for TLS; user and password in it) and, if its certificate's authority is a private one, that one's PEM file. */
export type RedisServer = { url: string | undefined; tlsCa?: string | undefined };

/** What a client needs beside the URL. */
export const tlsOptions = ({ tlsCa }: RedisServer): Pick<RedisOptions, 'tls'> => (tlsCa === undefined ? {} : { tls: { ca: readFileSync(tlsCa, 'utf8') } });
