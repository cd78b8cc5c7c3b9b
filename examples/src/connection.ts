import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ConnectionFile } from '@umpire/client/nats';

/** What `npm start` wrote: addresses, keys and logins. Given as the first argument, else that of this clone. */
export function readConnection(): ConnectionFile {
  const file = process.argv[2] ?? fileURLToPath(new URL('../../.umpire/connection.json', import.meta.url));
  return JSON.parse(readFileSync(file, 'utf8')) as ConnectionFile;
}
