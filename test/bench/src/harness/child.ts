import { fork, type ChildProcess } from 'node:child_process';

/**
 * Starts a limit as a process of its own, as the product's services are, with Node's own flags.
 * @param options its one argument, as JSON
 * @returns it, and what it sent as its first message: that it is ready
 * @throws when it ends before that
 */
export async function startChild<Ready>(program: string, options: object): Promise<{ child: ChildProcess; ready: Ready }> {
  const child = fork(program, [JSON.stringify(options)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] });
  const ready = await new Promise<Ready>((resolve, reject) => {
    child.once('message', (message) => resolve(message as Ready));
    child.once('exit', (code) => reject(new Error(`${program} ended with ${code}`)));
  });
  child.removeAllListeners('exit');
  return { child, ready };
}

export async function endChild(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}
