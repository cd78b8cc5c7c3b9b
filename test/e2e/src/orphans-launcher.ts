/** A launcher in a process of its own, for a test to kill: `node orphans-launcher.ts <home>`. Says the pids of all that it has started. */
import { SERVICES } from '@umpire/contract';
import { launch } from '../../../deploy/local/launch.mjs';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const home = process.argv[2]!;
await launch({ home, port: 0, split: true });
const pidOf = (name: string) => Number(readFileSync(join(home, 'run', `${name}.pid`), 'utf8').split('\n')[0]);
const pids = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, pidOf(name)]));
process.stdout.write(`${JSON.stringify({ services: pids([...SERVICES, 'gateway']), servers: pids(['nats', 'redis', 'postgres']) })}\n`);
