import { command } from './bootstrap.mjs';
import { findOnPath } from './processes.mjs';
import { oneLine } from './trouble.mjs';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const APT = ['-o', 'DPkg::Lock::Timeout=120', '-q'];

/** A Chromium for the browser tests: the one that is there, else Debian's, which root can install. Null, and one line said, where neither is. */
export async function findBrowser(steps) {
  const found = process.env.UMPIRE_BROWSER || PROGRAMS.map(findOnPath).find(Boolean);
  if (found) return found;
  const leftOut = (why) => {
    steps.say(`browser tests are left out: ${why}; put chromium on PATH, or name it in UMPIRE_BROWSER`);
    return null;
  };
  if (process.getuid?.() !== 0 || !findOnPath('apt-get')) return leftOut('there is no chromium, and only root can install it, through apt');
  try {
    await steps.run('bring chromium', async () => {
      const env = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
      const install = () => command('apt-get', ['install', '-y', '--no-install-recommends', ...APT, 'chromium', 'fonts-dejavu-core'], { env, echo: false });
      // The machine's package lists may be absent or out of date.
      await install().catch(() => command('apt-get', ['update', ...APT], { env, echo: false }).then(install));
    });
  } catch (error) {
    return leftOut(oneLine(error));
  }
  return findOnPath('chromium') ?? leftOut('apt brought no program named chromium');
}
