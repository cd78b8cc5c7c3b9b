import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UmpireClient } from '@umpire/client';
import { eventually } from '@umpire/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Stack } from './stack.ts';

const folder = fileURLToPath(new URL('../../../examples/', import.meta.url));
/** What a page holds. */
const PAGE_LINES = 70;

let stack: Stack;
let alice: UmpireClient;
let admin: UmpireClient;
const running: ChildProcess[] = [];
const ran = new Set<string>();

beforeAll(async () => {
  stack = await Stack.start('all');
  alice = new UmpireClient({ url: stack.origin, key: stack.connection.keys.reviewers.alice });
  admin = new UmpireClient({ url: stack.origin, key: stack.connection.keys.admin });
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await stack.stop();
});

/** Runs an example as its page says, and reads along. */
function start(name: string, ...args: string[]) {
  ran.add(name);
  const child = spawn(process.execPath, [join(folder, 'src', name), join(stack.home, 'connection.json'), ...args]);
  running.push(child);
  const said = { text: '' };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said.text += chunk.toString('utf8')));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const hear = (pattern: RegExp) => eventually(`${pattern} in ${name}`, () => pattern.exec(said.text), 20_000).catch((error: unknown) => Promise.reject(new Error(`${(error as Error).message}: it said ${said.text}`, { cause: error })));
  return { child, said, ended, hear };
}

it('agents disagree, and a person in a terminal decides', async () => {
  const review = start('review.ts', 'alice');
  await review.hear(/inbox of alice: open/);
  const agents = start('agents-disagree.ts');
  const [, id] = await agents.hear(/asked (\S+): /);
  await review.hear(new RegExp(`1 {2}${id}`));
  review.child.stdin.write('1 {"decision":"maybe"}\n');
  await review.hear(/refused .*\n {3}user_input\.decision must be one of/);
  review.child.stdin.write('1 {"decision":"reject","feedback":"Too much"}\n');
  await agents.hear(/outcome completed reject \(human\), decided by alice/);
  expect(await agents.ended).toBe(0);
  await review.hear(new RegExp(`over {2}${id} {2}reject by alice`));
  review.child.stdin.end();
  expect(await review.ended).toBe(0);
});

it('a pipeline pauses, is killed, and resumes', async () => {
  const first = start('pause-and-resume.ts', 'payout-18');
  const [, id] = await first.hear(/paused (\S+): /);
  first.child.kill('SIGKILL');
  await first.ended;
  await eventually('the question', () => admin.findStatus(id!));
  await alice.respond(id!, { iban: 'DE02120300000000202051' });
  const second = start('pause-and-resume.ts', 'payout-18');
  await second.hear(new RegExp(`paused ${id}: [^]*resumed \\{.*"iban":"DE02120300000000202051"`));
  expect(await second.ended).toBe(0);
});

it('pipelines resume by their outcomes, also by those of a time when nobody read', async () => {
  const first = start('resume-by-outcomes.ts', '2');
  await first.hear(/saved invoice-2/);
  first.child.kill('SIGKILL');
  await first.ended;
  await alice.respond('invoice-1', { cost_centre: 'north' });
  const second = start('resume-by-outcomes.ts', '2');
  await second.hear(/resumed invoice-1 .*invoices goes on behind cost-centre with \{"invoice":1,"cost_centre":"north"\}/);
  await alice.respond('invoice-2', { cost_centre: 'south' });
  await second.hear(/resumed invoice-2/);
  expect(await second.ended).toBe(0);
});

it('an approved tool call runs once', async () => {
  const agent = start('approved-tool-call.ts', 'call_18');
  const [, id] = await agent.hear(/asked (\S+): May Clerk call refund\?/);
  await eventually('the question', () => admin.findStatus(id!));
  await alice.respond(id!, { decision: 'approve' });
  await agent.hear(/worker-1 runs refund \{"order":"A-17","amount":120\}\nworker-2 leaves it: consumed by worker-1/);
  expect(await agent.ended).toBe(0);
  const other = start('approved-tool-call.ts', 'call_19');
  const [, otherId] = await other.hear(/asked (\S+): /);
  await eventually('the question', () => admin.findStatus(otherId!));
  await alice.respond(otherId!, { decision: 'reject', message: 'ask the shop first' });
  await other.hear(/the agent is told: ask the shop first\nanswer rejected/);
  expect(await other.ended).toBe(0);
});

it('a receiver verifies what it gets, and leaves nothing behind', async () => {
  const receiver = start('webhook-receiver.ts');
  const [, endpoint] = await receiver.hear(/listening as (\S+)/);
  await admin.webhooks.test(endpoint!);
  await receiver.hear(/test {2}seq 1/);
  await new UmpireClient({ url: stack.origin, key: stack.connection.keys.producer }).interact({ interaction_id: 'hooked', pipeline_name: 'p', step_name: 's', data: {} });
  await receiver.hear(/hitl_escalation_required hooked seq 1/);
  await alice.respond('hooked', { decision: 'approve' });
  await receiver.hear(/hitl_escalation_resolved hooked seq 3: /);
  receiver.child.kill('SIGINT');
  expect(await receiver.ended).toBe(0);
  expect((await admin.webhooks.list()).items).toEqual([]);
  expect(receiver.said.text).not.toContain('refused');
});

it('each is a page, listed, and has been run here', () => {
  const programs = globSync('src/*.ts', { cwd: folder }).map((file) => basename(file)).filter((name) => name !== 'connection.ts');
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  expect([...ran].sort()).toEqual(programs.sort());
  for (const name of programs) {
    expect(readme).toContain(`(src/${name})`);
    expect(readFileSync(join(folder, 'src', name), 'utf8').split('\n').length).toBeLessThanOrEqual(PAGE_LINES);
  }
  for (const [, link] of readme.matchAll(/\]\(([^)]+)\)/g)) expect({ link, there: existsSync(join(folder, link!)) }).toEqual({ link, there: true });
});
