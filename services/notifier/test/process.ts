import { spawn, type ChildProcess } from 'node:child_process';
import { programOf, refuseStalePrograms } from '../../../deploy/local/programs.mjs';

/** As the services are to be run: on a machine with much memory V8 lets its young generation grow to 128 MB before it looks. */
const NODE_ARGUMENTS = ['--max-semi-space-size=8'];

/** Starts the notifier's program as operators do, in a process of its own, on a port of its choice unless `UMPIRE_PORT` says. */
export function startProcess(environment: Record<string, string>): ChildProcess {
  refuseStalePrograms();
  const env = { PATH: process.env['PATH'], UMPIRE_PORT: '0', UMPIRE_LOG_LEVEL: 'silent', ...environment };
  return spawn(process.execPath, [...NODE_ARGUMENTS, programOf('notifier')], { env, stdio: 'ignore' });
}
