import type { Sql } from '@umpire/runtime';

/**
 * Runs work on the owner's connection: `UMPIRE_POSTGRES_ADMIN_URL`, with `UMPIRE_POSTGRES_TLS_CA`; each may end in `_FILE`. Straight to the
 * server, never through a pooler: the lock that keeps two migrations apart belongs to a session.
 */
export async function withOwner<T>(env: Record<string, string | undefined>, work: (sql: Sql) => Promise<T>): Promise<T> {
  const [{ connectPostgres, createLogger, loadConfig, postgresConfig }, { z }] = await Promise.all([import('@umpire/runtime'), import('zod')]);
  const config = loadConfig('operator', { postgresAdminUrl: z.string({ error: 'the owner\'s postgres:// URL is needed' }), postgresTlsCa: postgresConfig.postgresTlsCa }, env);
  // A migration may take as long as it takes, and waits for another's.
  const sql = connectPostgres({ url: config.postgresAdminUrl, tlsCa: config.postgresTlsCa, max: 2, service: 'operator', logger: createLogger('operator', 'silent'),
    settings: { statement_timeout: 0, lock_timeout: 0, idle_in_transaction_session_timeout: 0 } });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
