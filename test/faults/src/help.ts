/** What `npm run test:faults -- --help` prints. */
import { allCases } from './cases/index.ts';

process.stdout.write(`npm run test:faults [-- name …]

Breaks the running product in each way named (without a name: in every way, over half an hour), with load on it, and audits what came of all that was
acknowledged. UMPIRE_SEED repeats the choices of a run.

${allCases.map(({ name, breaks }) => `  ${name.padEnd(20)} ${breaks}`).join('\n')}
`);
