import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { UmpireClient } from '@umpire/client';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Pages for browsers, and what a session's page alone has to do with. */
const NO_API: ReadonlySet<string> = new Set([
  'GET /', 'GET /e/:', 'GET /console/:', 'GET /assets/:', 'GET /docs', 'GET /docs/nats', 'GET /docs/files/:', 'GET /session/oidc', 'GET /session/oidc/start', 'GET /session/oidc/callback',
]);

/** Every route that the controllers declare, parameters written as `:`. */
function declaredRoutes(): string[] {
  return globSync('services/*/src/**/*.controller.ts', { cwd: root }).flatMap((file) => {
    const source = readFileSync(root + file, 'utf8');
    const prefix = /@GuardedController\((?:'([^']*)')?\)/.exec(source)?.[1] ?? '';
    return [...source.matchAll(/^ {2}@(Get|Post|Put|Patch|Delete|Command)\((?:'([^']*)')?/gm)].map(([, verb, path]) => {
      const method = verb === 'Command' ? 'POST' : verb!.toUpperCase();
      return `${method} /${[prefix, path].filter(Boolean).join('/')}`.replace(/:[a-z_]+/g, ':');
    });
  });
}

/** A name that stands for any parameter, and what a client writes for it. */
const ANY = 'any-one';
const NUMBER = 4711;
const WRITTEN: ReadonlySet<string> = new Set([ANY, `${ANY}.json`, String(NUMBER), `~${Buffer.from(ANY).toString('base64url')}`]);

/** Calls everything that the client has, and keeps what it asks for. */
async function askedRoutes(): Promise<string[]> {
  const asked: string[] = [];
  const client = new UmpireClient({
    url: 'http://nowhere',
    fetch: async (input, init) => {
      const path = new URL(String(input)).pathname.split('/').map((part) => (WRITTEN.has(part) ? ':' : part)).join('/');
      asked.push(`${init!.method} ${path}`);
      return Response.json({ outcome: {} });
    },
  });
  const question = { pipeline_name: 'p', step_name: 's', data: {} };
  const { audit, identity, webhooks, policies, channels, rejected, session } = client;
  await Promise.all([
    client.interact(question), client.status(ANY), client.waitForOutcome(ANY), client.pending(ANY), client.respond(ANY, {}), client.bulkRespond([]), client.list(), client.get(ANY), client.explain(ANY), client.receipt(ANY),
    client.timeline(ANY), client.claim(ANY), client.release(ANY), client.reassign(ANY, { to: {} }), client.delegate(ANY, { to: null }), client.raise(ANY), client.snooze(ANY, { seconds: 1 }),
    client.comment(ANY, ''), client.cancel(ANY), client.cancelPending(ANY), client.revise(ANY, {}), client.consume(ANY, { consumer_id: '', action_digest: '' }),
    client.stats(), client.oversight(), client.openApi(), client.schemas(), client.schema(ANY), client.asyncApi(), client.semantics(), client.timers.page(), client.readLog.page(), client.namespace(), session.signIn(), session.who(), session.signOut(),
    identity.keys.create({ name: '', roles: [] }), identity.keys.list(), identity.keys.get(ANY), identity.keys.revoke(ANY),
    identity.groups.create({ name: '' }), identity.groups.list(), identity.groups.get(ANY), identity.groups.put(ANY, {}), identity.groups.remove(ANY), identity.groups.addMember(ANY, ANY), identity.groups.removeMember(ANY, ANY),
    identity.delegations.create({ to: '' }), identity.delegations.list(), identity.delegations.get(ANY), identity.delegations.revoke(ANY),
    webhooks.create({ url: '' }), webhooks.list(), webhooks.get(ANY), webhooks.update(ANY, {}), webhooks.remove(ANY), webhooks.enable(ANY), webhooks.disable(ANY), webhooks.rotate(ANY), webhooks.test(ANY),
    webhooks.recover(ANY, { since: '' }), webhooks.deliveries(ANY), webhooks.deliveriesOf(ANY), webhooks.attempts(ANY), webhooks.retry(ANY), webhooks.callbacks(), webhooks.putCallbacks({ allowed_hosts: [] }), webhooks.rotateCallbacks(), webhooks.callbackOrigins(),
    policies.apply({ id: '' }), policies.check({ id: '' }), policies.simulate({}), policies.replay({ id: '' }, { since: '' }), policies.list(), policies.get(ANY), policies.versions(ANY), policies.version(ANY, NUMBER), policies.activate(ANY, NUMBER),
    policies.enable(ANY), policies.disable(ANY), policies.remove(ANY), channels.create({ kind: 'email', address: '', owner_kind: 'user', owner: '' }), channels.list(), channels.remove(ANY), channels.test(ANY), channels.notices(ANY),
    rejected.list(), rejected.get(ANY), rejected.redrive(ANY),
    audit.export(), audit.person(ANY), audit.erase({ request_id: ANY, reason: '' }), audit.erasures(), audit.erasure(ANY), audit.retention(), audit.changeRetention({}), audit.checkpoints(), audit.seal(), audit.signingKeys(),
    audit.rotateSigningKey(), audit.publicKeys(),
  ]);
  return asked;
}

it('has a method for every route of the API, and none for what is not there', async () => {
  const declared = new Set(declaredRoutes().filter((route) => !NO_API.has(route)));
  const asked = new Set(await askedRoutes());
  expect(declared.size).toBeGreaterThan(50);
  expect({ withoutMethod: [...declared].filter((route) => !asked.has(route)), withoutRoute: [...asked].filter((route) => !declared.has(route)) }).toEqual({ withoutMethod: [], withoutRoute: [] });
});

/** Paths go to services by prefix, where they run apart: a controller whose prefix nobody knows would be there in one topology only. */
it('has every prefix in the gateway of the split topology', () => {
  const gateway = readFileSync(`${root}deploy/local/gateway.mjs`, 'utf8');
  const owners = Object.fromEntries([...gateway.matchAll(/\['(\/[a-z]+)', '([a-z-]+)'\]/g)].map(([, prefix, service]) => [prefix!, service!]));
  const astray = globSync('services/*/src/**/*.controller.ts', { cwd: root }).flatMap((file) => {
    const [, service] = file.split('/');
    const prefix = `/${/@GuardedController\('([a-z]+)/.exec(readFileSync(root + file, 'utf8'))?.[1] ?? ''}`;
    return (owners[prefix] ?? 'state-store') === service ? [] : [`${prefix} of ${service} goes to ${owners[prefix] ?? 'state-store'}`];
  });
  expect(Object.keys(owners)).toContain('/webhooks');
  expect(astray).toEqual([]);
});
