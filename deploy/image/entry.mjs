/**
 * The container's one command: starts the service that the first argument, else `UMPIRE_SERVICE`, names; `umpire …` is the command line.
 */
const PROGRAMS = {
  intake: 'services/intake/dist/bundle/main.js',
  'state-store': 'services/state-store/dist/bundle/main.js',
  notifier: 'services/notifier/dist/bundle/main.js',
  'timeout-scheduler': 'services/timeout-scheduler/dist/bundle/main.js',
  'all-in-one': 'services/all-in-one/dist/bundle/main.js',
  umpire: 'services/cli/dist/main.js',
};

const [name = process.env.UMPIRE_SERVICE ?? '', ...rest] = process.argv.slice(2);
if (!Object.hasOwn(PROGRAMS, name)) {
  process.stderr.write(`${name === '' ? 'no service is named' : `there is no service "${name}"`}: give UMPIRE_SERVICE, or the first argument, one of ${Object.keys(PROGRAMS).join(', ')}\n`);
  process.exit(2);
}
process.argv.splice(2, Infinity, ...rest);
await import(new URL(PROGRAMS[name], import.meta.url));
