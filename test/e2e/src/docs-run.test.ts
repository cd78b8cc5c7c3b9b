import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stack } from './stack.ts';

const clone = fileURLToPath(new URL('../../..', import.meta.url));
/** What a page's commands must print, in this order, besides ending well. */
const PAGES: Record<string, RegExp[]> = {
  'README.md': [/"request_id":"refund-1","status":"stored"/, /"interaction_id":"refund-1"/, /"state":"completed"/, /"verdict":"approve"/, /^refund-\d+ abort timeout$/m],
  'docs/producers.md': [/"request_id":"invoice\/2024 7","status":"stored"/, /"status":422/, /^stored$/m, /"verdict":"approve"/, /"pay-7","status":"stored"/, /"consumer_id":"worker-1"/, /"code":"\w+"/],
  'docs/reviewers.md': [/"interaction_id":"deploy-12"/, /^pending_interactions \d+$/m, /"state":"pending"/, /"status":422/, /"state":"completed"/, /"code":"already_settled"/, /"claimed_by":"carol"/, /"code":"claimed_by_other"/, /"type":"released"/],
  // The escalation that the reviewers' page has decided is the one that these look at.
  'docs/audit.md': [/the record is as it was sealed/, /deploy-12/, /Signature Verified Successfully/],
  'docs/receivers.md': [/^test /m, /^hitl_escalation_required hook-1 1/m, /^hitl_escalation_resolved hook-1 \d approve$/m, /^204$/m, /^204$/m, /^401$/m, /"state":"delivered"/, /"status":204/, /whsec_/],
  'docs/policies.md': [/senior-reviewers/, /senior-reviewers/],
  'docs/oversight.md': [/two-look|changed|escalations/],
  'docs/operators.md': [/--split/, /umk_/, /night-shift/, /dora/, /confidence-specialists/, /"status":"ok"/, /umpire_store_pending/, /"kind":"slack"/, /"items":\[\{/],
};

type Block = { language: string; info: string; text: string };

/** The fenced blocks of a page that are marked: `run` for the shell, `file=<name>` for a file that the commands need. */
function blocksOf(page: string): Block[] {
  const text = readFileSync(join(clone, page), 'utf8');
  return [...text.matchAll(/^```(\w+) ([^\n]+)\n([\s\S]*?)^```$/gm)].map(([, language, info, body]) => ({ language: language!, info: info!, text: body! }));
}

describe('the commands and samples of the docs', () => {
  let stack: Stack;
  const folders: string[] = [];

  beforeAll(async () => {
    stack = await Stack.start('all');
  });
  afterAll(async () => {
    await stack.stop();
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  /** A clone as a newcomer has it, as far as the commands look: its home is the running one's. */
  function workplace(): string {
    const folder = mkdtempSync(join(tmpdir(), 'umpire-docs-'));
    folders.push(folder);
    for (const name of ['services', 'deploy', 'examples', 'package.json']) symlinkSync(join(clone, name), join(folder, name));
    symlinkSync(stack.home, join(folder, '.umpire'));
    symlinkSync(join(clone, 'test/e2e/node_modules'), join(folder, 'node_modules'));
    return folder;
  }

  it.each(Object.entries(PAGES))('%s runs as it is written', async (page, wanted) => {
    const folder = workplace();
    const ports = await freePorts(4);
    const local = (text: string) => text.replaceAll('http://127.0.0.1:8080', stack.origin).replace(/\b900([0-3])\b/g, (_, digit: string) => String(ports[Number(digit)]));
    const blocks = blocksOf(page);
    for (const { info, text } of blocks) {
      const name = /^file=(\S+)$/.exec(info)?.[1];
      if (name) writeFileSync(join(folder, name), local(text));
    }
    const commands = blocks.filter(({ language, info }) => language === 'sh' && info === 'run').map(({ text }) => local(text));
    expect(commands.length).toBeGreaterThan(1);
    const { code, output } = await run(folder, `${PRELUDE}\n${commands.join('\n')}`);
    expect([code, code === 0 ? '' : output]).toEqual([0, '']);
    expect(output).not.toMatch(/"status":5\d\d|command not found|SyntaxError|ERR_MODULE/);
    let rest = output;
    for (const pattern of wanted) {
      const found = pattern.exec(rest);
      expect([pattern.source, found === null ? rest : 'found']).toEqual([pattern.source, 'found']);
      rest = rest.slice(found!.index + found![0].length);
    }
  });

  it('mark every block of commands as run, or are known not to be', () => {
    const unmarked = Object.keys(PAGES).flatMap((page) => [...readFileSync(join(clone, page), 'utf8').matchAll(/^```(?:sh|js|python|go|yaml)\n([^\n]*)/gm)].map(([, first]) => `${page}: ${first}`));
    expect(unmarked).toEqual([
      'README.md: npm start        # sets everything up, runs it at http://127.0.0.1:8080, prints keys and calls to copy',
      'docs/operators.md: UMPIRE_NATS_URL=nats://user:password@host:4222 UMPIRE_POSTGRES_URL=postgres://admin:password@host/umpire UMPIRE_REDIS_URL=redis://host npm start',
      'docs/operators.md: OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318 npm start',
    ]);
  });

  it('hold a receiver in Go that verifies like the others, where Go is found', async ({ skip }) => {
    const folder = workplace();
    const [port] = await freePorts(1);
    const source = blocksOf('docs/receivers.md').find(({ info }) => info === 'file=receiver.go')!.text.replace('9002', String(port));
    writeFileSync(join(folder, 'receiver.go'), source);
    if ((await run(folder, 'command -v go')).code !== 0) return skip();
    const { body: endpoint } = await stack.post('/webhooks/endpoints', stack.connection.keys.admin, { url: `http://127.0.0.1:${port}/hitl`, retry_schedule_seconds: [1, 1, 1, 1, 1] });
    const { code, output } = await run(folder, `go build -o receiver receiver.go
      ./receiver '${endpoint.secret}' & receiver=$!
      curl -s -o /dev/null --retry 20 --retry-connrefused --retry-delay 1 http://127.0.0.1:${port}/
      curl -sf -X POST '${stack.origin}/webhooks/endpoints/${endpoint.id}/test' -H 'Authorization: Bearer ${stack.connection.keys.admin}' -H 'Content-Type: application/json' -d '{}'
      for i in $(seq 60); do curl -s '${stack.origin}/webhooks/endpoints/${endpoint.id}/deliveries?state=delivered' -H 'Authorization: Bearer ${stack.connection.keys.admin}' | grep -q '"id"' && break; sleep 0.5; done
      kill $receiver`);
    expect([code, output]).toEqual([0, expect.stringContaining('go: test')]);
  });

  /** What is installed by npm in the docs is there already; `npm` itself stands for the clone's scripts. */
  const PRELUDE = `
    set -eu -o pipefail
    export INIT_CWD=$PWD # as npm sets it
    npm() {
      if [[ "$1" == start ]]; then shift; [[ "\${1:-}" == -- ]] && shift; node '${clone}/deploy/local/umpire.mjs' start "$@"
      elif [[ "$1 $2 $3 $4" == 'run -s umpire --' ]]; then shift 4; node '${clone}/services/cli/bin/umpire.mjs' "$@"
      else echo "npm $*: command not found"; return 1; fi
    }`;

  function run(folder: string, script: string): Promise<{ code: number | null; output: string }> {
    return new Promise((resolve) => {
      const child = spawn('bash', ['-c', script], { cwd: folder, env: { ...process.env, UMPIRE_HOME: stack.home }, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
      let output = '';
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
      child.once('close', (code) => resolve({ code, output }));
      // Receivers that a failed script left behind go with its group, so that its output ends.
      child.once('exit', () => {
        try {
          process.kill(-child.pid!, 'SIGTERM');
        } catch {
          // Nobody of it is left.
        }
      });
    });
  }
});

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => new Promise<ReturnType<typeof createServer>>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
  })));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
