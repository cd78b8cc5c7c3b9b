import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const folder = new URL('../python/', import.meta.url);

export const pythonIsThere = ((): boolean => {
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/**
 * Runs a script of `python/` to its end.
 *
 * @returns the lines that it printed.
 * @throws Error when it fails.
 */
export function runPython(script: string, args: readonly string[], input = ''): string[] {
  const path = fileURLToPath(new URL(script, folder));
  const output = execFileSync('python3', ['-X', 'utf8', path, ...args], { input, maxBuffer: 256 * 1024 * 1024, encoding: 'utf8' });
  return output.split('\n').filter((line) => line !== '');
}
