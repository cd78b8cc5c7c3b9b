import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { command, nodeBinary, root } from './bootstrap.mjs';
import { newPassword, openSecrets } from './home.mjs';
import { writeWhole } from './lock.mjs';
import { Trouble } from './trouble.mjs';

export const SERVICES = ['intake', 'state-store', 'notifier', 'timeout-scheduler'];
/** The Postgres role that each service logs in as. */
export const ROLES = { intake: 'umpire_intake', 'state-store': 'umpire_state_store', notifier: 'umpire_notifier', 'timeout-scheduler': 'umpire_scheduler' };
const REVIEWERS = ['alice', 'bob', 'carol'];
const KEYS_PER_NAMESPACE = 2 + REVIEWERS.length;

/**
 * Completes the home's secrets for the declared namespaces: passwords, keys and the NATS accounts. What exists is
 * kept, also that of namespaces no longer declared. Returns `{secrets, accounts, namespaces}`.
 */
export async function prepareSecrets(home, namespacesText) {
  const names = namespaceNames(await derive({ namespaces: namespacesText, producers: {}, keys: 0 }));
  let secrets = openSecrets(home, (all) => {
    all.secret_key ??= randomBytes(32).toString('base64');
    all.audit_key ??= randomBytes(32).toString('base64');
    all.roles ??= {};
    all.nats ??= {};
    all.namespaces ??= {};
    for (const service of SERVICES) {
      all.roles[service] ??= newPassword();
      all.nats[service] ??= { user: service, pass: newPassword() };
    }
    all.nats.operator ??= { user: 'operator', pass: newPassword() };
    for (const name of names) all.namespaces[name] ??= { nats: { user: `producer-${name}`, pass: newPassword() } };
  });
  const keyless = names.filter((name) => !secrets.namespaces[name].keys);
  const { operator, ...services } = secrets.nats;
  const producers = Object.fromEntries(names.map((name) => [name, secrets.namespaces[name].nats]));
  const derived = await derive({ namespaces: namespacesText, services, operator, producers, keys: keyless.length * KEYS_PER_NAMESPACE });
  secrets = openSecrets(home, (all) => {
    for (const name of keyless) {
      const [admin, producer, ...reviewers] = derived.keys.splice(0, KEYS_PER_NAMESPACE);
      all.namespaces[name].keys = { admin, producer, reviewers: Object.fromEntries(REVIEWERS.map((user, at) => [user, reviewers[at]])) };
    }
  });
  return { secrets, accounts: derived.accounts, namespaces: derived.namespaces };
}

function namespaceNames({ namespaces }) {
  return Object.keys(namespaces);
}

async function derive(input) {
  const output = JSON.parse(await command(nodeBinary(), [join(root, 'deploy/local/derive.mjs')], { input: JSON.stringify(input) }));
  if (output.errors) throw new Trouble(output.errors.join('; '));
  return output;
}

/** Migrations, roles and keys: `services/all-in-one/dist/provision.js` with the superuser's rights. Idempotent. */
export async function provisionDatabase({ home, adminUrl, secrets, namespaces }) {
  const file = join(home, 'run', 'provision.json');
  const keys = Object.keys(namespaces).flatMap((namespace) => {
    const { admin, producer, reviewers } = secrets.namespaces[namespace].keys;
    return [
      { namespace, key: admin, roles: ['admin'], user_id: null, name: 'admin' },
      { namespace, key: producer, roles: ['producer'], user_id: null, name: 'producer' },
      ...Object.entries(reviewers).map(([user, key]) => ({ namespace, key, roles: ['reviewer'], user_id: user, name: user })),
    ];
  });
  writeWhole(file, JSON.stringify({ roles: secrets.roles, keys }));
  try {
    await command(nodeBinary(), [join(root, 'services/all-in-one/dist/provision.js')], { env: { UMPIRE_POSTGRES_ADMIN_URL: adminUrl, UMPIRE_PROVISION: file } });
  } finally {
    rmSync(file, { force: true });
  }
}
