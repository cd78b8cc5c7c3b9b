import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { interactionIdOf, UmpireClient } from '@umpire/client';
import { eventually } from '@umpire/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CuttableLine } from './client-proxy.ts';
import { hitlRequest, queueMessage, upstreamRequests } from './messages.ts';
import { Receiver } from './receiver.ts';
import { Stack } from './stack.ts';

const pythonIsThere = spawnSync('python3', ['--version']).status === 0;
const folder = fileURLToPath(new URL('../../conformance/python/', import.meta.url));

let stack: Stack;
let receiver: Receiver;
let alice: UmpireClient;
let admin: UmpireClient;
let own: string;
const running: ChildProcess[] = [];

beforeAll(async () => {
  if (!pythonIsThere) return;
  stack = await Stack.start('all');
  receiver = await Receiver.register(stack);
  const client = (key: string) => new UmpireClient({ url: stack.origin, key });
  [alice, admin] = [client(stack.connection.keys.reviewers.alice), client(stack.connection.keys.admin)];
  own = await mkdtemp(join(tmpdir(), 'umpire-python-'));
});
afterAll(async () => {
  if (!pythonIsThere) return;
  for (const child of running) child.kill('SIGKILL');
  await receiver.close();
  await stack.stop();
  await rm(own, { recursive: true, force: true });
});

function start(script: string, args: string[], input = '', connection = join(stack.home, 'connection.json')) {
  const environment = { ...process.env, PYTHONPATH: own, PYTHONDONTWRITEBYTECODE: '1' };
  const child = spawn('python3', ['-X', 'utf8', script, connection, ...args], { cwd: folder, env: environment });
  running.push(child);
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (said.err += chunk.toString('utf8')));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const line = (word: string) => eventually(`${word} among ${JSON.stringify(said)}`, () => said.out.split('\n').slice(0, -1).find((one) => one.startsWith(`${word} `))?.slice(word.length + 1));
  return { child, said, ended, line };
}

async function produce(args: string[], input = ''): Promise<Record<string, any>[]> {
  const { said, ended } = start('produce.py', args, input);
  expect({ status: await ended, said: said.err }).toEqual({ status: 0, said: '' });
  return said.out.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, any>);
}

describe.skipIf(!pythonIsThere).each(['http', 'nats'])('a producer in Python over %s', (way) => {
  it('publishes the contract\'s messages, byte for byte, and hears what became of them', async () => {
    const [first, second] = [hitlRequest(`py/${way}/1 Ø`), hitlRequest(`py/${way}/2`, 'low_confidence')];
    const answers = await produce([way], `${first}\n${second}\n${first}\n`);
    expect(answers).toMatchObject([{ request_id: `py/${way}/1 Ø`, status: 'stored', duplicate: false }, { status: 'stored', duplicate: false }, { status: 'stored', duplicate: true }]);
    const webhook = await receiver.waitFor(`py/${way}/1 Ø`, 'hitl_escalation_required');
    expect(webhook.text).toContain(`"escalation":${first}`);
    expect(await admin.get(`py/${way}/2`)).toMatchObject({ reason: 'low_confidence', status: 'pending' });
  });

  it('hears of every fault, and of other content under the same id', async () => {
    const text = hitlRequest(`py/${way}/bad`);
    const answers = await produce([way], `${text.replace('"confidence":0.90', '"confidence":1.5')}\n${text}\n${text.replace('Two agents', 'Three agents')}\n`);
    expect(answers).toMatchObject([{ refused: 'invalid', errors: [{ path: 'payload.agent_decisions[0].confidence' }] }, { status: 'stored' }, { refused: 'id_conflict' }]);
  });

  const upstream = upstreamRequests();
  it.skipIf(upstream === null)('carries what the upstream framework wrote', async () => {
    const lines = upstream!.slice(0, 20).map((line) => line.replace('"request_id"', `"from_${way}":true,"request_id"`)).map((line) => JSON.stringify({ ...JSON.parse(line), request_id: `${way} ${JSON.parse(line).request_id}` }));
    const answers = await produce([way], `${lines.join('\n')}\n`);
    expect(answers.map(({ status }) => status)).toEqual(lines.map(() => 'stored'));
  });

  it('takes requests from a function, as models of either pydantic, dicts or texts', async () => {
    const requests = [1, 2, 3, 4].map((number) => hitlRequest(`py/${way}/model-${number}`));
    await writeFile(join(own, 'models.py'), `
import json
TEXTS = json.loads(${JSON.stringify(JSON.stringify(requests))})
class Two:
    def __init__(self, text): self.text = text
    def model_dump_json(self): return self.text
    def json(self): raise TypeError("deprecated")
class One:
    def __init__(self, text): self.text = text
    def json(self): return self.text
def requests():
    return [Two(TEXTS[0]), One(TEXTS[1]), json.loads(TEXTS[2]), TEXTS[3]]
`);
    expect(await produce([way, '--from', 'models:requests'])).toMatchObject(requests.map(() => ({ status: 'stored', duplicate: false })));
    expect((await receiver.waitFor(`py/${way}/model-1`, 'hitl_escalation_required')).text).toContain(`"escalation":${requests[0]}`);
  });

  it('takes one from the upstream framework where it is installed, and says where it is not', async () => {
    const { said, ended } = start('produce.py', [way, '--upstream']);
    const status = await ended;
    if (status === 3) expect(said.err).toContain('not installed');
    else expect(JSON.parse(said.out)).toMatchObject({ status: 'stored' });
  });
});

describe.skipIf(!pythonIsThere)('over raw NATS', () => {
  it('the same bytes within the stream\'s window go no further, other bytes under the same id do', async () => {
    const text = hitlRequest('py/fast');
    const [first, again, other] = await produce(['nats', '--fast'], `${text}\n${text}\n${text.replace('Two agents', 'Three agents')}\n`);
    expect([first!.stream, again!.duplicate, again!.seq, other!.duplicate]).toEqual(['HITL_REVIEW', true, first!.seq, undefined]);
    // What the product's own client would have sent is the same message.
    expect(queueMessage(text)).toBe(`{"type":"hitl_escalation","payload":${text},"routing_key":"review.hard_disagreement"}`);
    expect(await eventually('the escalation', () => admin.findStatus('py/fast'))).toMatchObject({ status: 'pending' });
  });
});

describe.skipIf(!pythonIsThere).each(['http', 'nats', 'outcomes'])('a pipeline in Python that is killed while it waits, over %s', (way) => {
  const asked = async () => (await alice.pending('alice', { limit: 200 })).items.filter((item) => item.pipeline_name === 'payouts-py');

  it('goes on where it stopped, and asks once', async () => {
    const key = `Übung/7 "${way}"`;
    const first = start('pipeline.py', [way, key]);
    const id = await first.line('waiting');
    expect(id).toBe(interactionIdOf({ namespace: 'default', pipeline: 'payouts-py', step: 'confirm', key }));
    const [before] = await eventually('the question', async () => ((items) => items.length > 0 && items)(await asked()));
    first.child.kill('SIGKILL');
    await first.ended;
    // Answered while nobody waits.
    await alice.respond(id, { account: 'DE-99' });
    const second = start('pipeline.py', [way, key]);
    expect(await second.line('waiting')).toBe(id);
    expect(JSON.parse(await second.line('resumed'))).toEqual({ ...(before!.data as object), account: 'DE-99' });
    expect(await second.ended).toBe(0);
    expect((await admin.timeline(id)).items.map(({ type }) => type)).toEqual(['opened', 'responded', 'resolved']);
  });
});

describe.skipIf(!pythonIsThere)('a pipeline in Python whose line is cut', () => {
  it('connects again and finds what was decided meanwhile', async () => {
    const line = await CuttableLine.to(stack.connection.nats_url);
    const file = join(own, 'connection.json');
    await writeFile(file, JSON.stringify({ ...stack.connection, nats_url: `nats://127.0.0.1:${line.port}` }));
    const pipeline = start('pipeline.py', ['nats', 'cut'], '', file);
    const id = await pipeline.line('waiting');
    await eventually('the question', () => admin.findStatus(id));
    line.down();
    await alice.respond(id, { account: 'DE-98' });
    line.up();
    expect(JSON.parse(await pipeline.line('resumed'))).toMatchObject({ account: 'DE-98', note: 'für Übung 7' });
    expect(await pipeline.ended).toBe(0);
    expect(pipeline.said.err).toContain('again: ');
    await line.close();
  });
});
