import { provision, provisionSchema } from '@umpire/operations';
import { createLogger, connectPostgres, ConfigError } from '@umpire/runtime';
import { readFile } from 'node:fs/promises';

/**
 * Brings a database to what the services need: migrations, a role for each service with rights on its own schema only, and keys.
 * Reads `UMPIRE_POSTGRES_ADMIN_URL` and the JSON file named by `UMPIRE_PROVISION`. Safe to run again.
 */
const { UMPIRE_POSTGRES_ADMIN_URL: url, UMPIRE_PROVISION: file } = process.env;
try {
  if (!url || !file) throw new ConfigError('provision', ['UMPIRE_POSTGRES_ADMIN_URL and UMPIRE_PROVISION are needed']);
  const wanted = provisionSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  const logger = createLogger('provision', 'warn');
  // A migration may take as long as it takes, and waits for another provisioner's.
  const sql = connectPostgres({ url, max: 2, service: 'provision', logger, settings: { statement_timeout: 0, lock_timeout: 0, idle_in_transaction_session_timeout: 0 } });
  const done = await provision(sql, wanted).finally(() => sql.end({ timeout: 5 }));
  process.stdout.write(`${JSON.stringify(done)}\n`);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
