import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const page = readFileSync(`${root}docs/seeds.md`, 'utf8');

type Row = { names: string[]; here: string; line: string };

/** The tables' rows: what a seed calls it, and where it lives. */
const rows: Row[] = page.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| name ')).map((line) => {
  const [, name = '', here = ''] = line.split('|');
  return { names: [...name.matchAll(/`([^`]+)`/g)].map(([, text]) => text!), here, line };
});

/** Every route that the controllers declare. */
function declaredRoutes(): Set<string> {
  return new Set(globSync('services/*/src/**/*.controller.ts', { cwd: root }).flatMap((file) => {
    const source = readFileSync(root + file, 'utf8');
    const prefix = /@GuardedController\((?:'([^']*)')?\)/.exec(source)?.[1] ?? '';
    return [...source.matchAll(/^ {2}@(Get|Post|Put|Patch|Delete)\((?:'([^']*)')?/gm)].map(([, verb, path]) => `${verb!.toUpperCase()} /${[prefix, path].filter(Boolean).join('/')}`);
  }));
}

/** A file without its comments: what is only talked about does not live there. */
function codeOf(path: string): string {
  const text = readFileSync(root + path, 'utf8');
  if (path.endsWith('.sql')) return text.replace(/--.*$/gm, '');
  if (/\.(py|ya?ml)$/.test(path)) return text.replace(/(^|\s)#.*$/gm, '');
  return text.replace(/\/\*[^]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
}

describe('the table of the seeds\' names', () => {
  const routes = declaredRoutes();
  const cases = rows.flatMap(({ names, here }) => {
    const links = [...here.matchAll(/\[`([^`]+)`\]\(\.\.\/([^)]+)\)/g)].map(([, symbol, path]) => ({ name: names[0]!, symbol: symbol!, path: path! }));
    const plain = [...here.replace(/\[`[^`]+`\]\([^)]+\)/g, '').matchAll(/`([^`]+)`/g)].map(([, route]) => ({ name: names[0]!, symbol: route!, path: '' }));
    return [...links, ...plain];
  });

  it('says of every name where it lives', () => {
    expect(rows.length).toBeGreaterThan(50);
    expect(rows.filter(({ names, here }) => names.length === 0 || !/`/.test(here)).map(({ line }) => line)).toEqual([]);
  });

  it('leads to what is there', () => {
    const missing = cases.filter(({ symbol, path }) => {
      if (path === '') return !routes.has(symbol);
      return !existsSync(root + path) || !new RegExp(`(?<![\\w-])${symbol.replace(/[.*+?^${}()|[\]\\-]/g, '\\$&')}(?![\\w-])`).test(codeOf(path));
    });
    expect(missing).toEqual([]);
  });
});

const seeds = ['hitl-escalation-contract.md', 'hitl-comprehensive-design.md'].map((name) => fileURLToPath(new URL(`../../../../shared/seeds/${name}`, import.meta.url)));

/** Python's, frameworks' and the samples' own: names that a seed uses and does not give. */
const FOREIGN: ReadonlySet<string> = new Set([
  'BackgroundTasks', 'BaseModel', 'FastAPI', 'HTTPException', 'WebSocketDisconnect', 'WebSocket', 'React', 'MessageEvent', 'ValueError', 'Exception', '__init__', 'JSON', 'POST',
  // What a caller does with an escalation: theirs to name.
  'send_to_review_system', 'process_automated_decision', 'handle_human_review', 'handle_automated_decision', 'create_test_result',
]);

/** Every name that a seed's code gives to something. */
function namesIn(text: string): Set<string> {
  const code = [...text.matchAll(/```\w*\n([^]*?)```/g)].map(([, block]) => block!).join('\n');
  const found = (pattern: RegExp) => [...code.matchAll(pattern)].map((match) => match[1]!);
  const columns = [...code.matchAll(/CREATE TABLE \w+ \(([^]*?)\n\);/g)].flatMap(([, body]) => [...body!.matchAll(/^ {4}([a-z_]+) [A-Z]/gm)].map((match) => match[1]!));
  return new Set([
    ...found(/\bclass (\w+)/g), ...found(/\bdef (\w+)/g), ...found(/\bself\.(_\w+)\(/g), ...found(/\binterface (\w+)/g), ...found(/\bconst (\w+): React/g), ...found(/const (handle\w+) =/g), ...found(/<([A-Z]\w+Card)/g),
    ...found(/\b((?:[A-Z][a-z]+){2,}|HITL[A-Z]\w+)\b/g), ...found(/^ {4}([A-Z_]{4,}) = "/gm), ...found(/AlignmentState\.([A-Z_]+)/g), ...found(/\.core\.hitl import (\w+)/g),
    ...found(/@app\.\w+\("([^"]+)"\)/g), ...found(/CREATE TABLE (\w+)/g), ...found(/CREATE INDEX (\w+)/g), ...columns,
    ...found(/"status": "(\w+)"/g), ...found(/"type": "(\w+)"/g), ...found(/"event": "(\w+)"/g), ...found(/"name": "(\w+)"/g), ...found(/config\.get\("(\w+)"/g), ...found(/metadata\["(\w+)"\]/g), ...found(/semantics\['(\w+)'\]/g),
    ...found(/^\s*"(\w+)":/gm), ...found(/^ {4}(\w+): (?:str|float|List|Dict|datetime|Optional)\b/gm), ...found(/\b(route_to_\w+)\(/g), ...found(/status IN \('([^']+)'/g), ...found(/"(X-[\w-]+)"/g),
  ]);
}

describe.skipIf(!seeds.every((path) => existsSync(path)))('the seeds themselves', () => {
  // A path parameter is written in either way.
  const listed = new Set(rows.flatMap(({ names }) => names.flatMap((name) => [name, name.replace(/^(GET|POST) /, '')])));

  it.each(seeds)('have no name that the table leaves out: %s', (path) => {
    const names = namesIn(readFileSync(path, 'utf8'));
    expect(names.size).toBeGreaterThan(30);
    expect([...names].filter((name) => !listed.has(name) && !FOREIGN.has(name)).sort()).toEqual([]);
  });
});
