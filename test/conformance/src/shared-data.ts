import { existsSync, readFileSync } from 'node:fs';

/** What the upstream framework really wrote; it lies beside the repository and is not part of it. */
const folder = new URL('../../../../shared/data/', import.meta.url);

export const sharedDataIsThere = existsSync(new URL('README.md', folder));

/** Lines of a data file, or none where the data is absent (tests that need it are skipped there). */
export function sharedLines(file: string): string[] {
  return sharedDataIsThere ? readFileSync(new URL(file, folder), 'utf8').split('\n').filter((line) => line !== '') : [];
}
