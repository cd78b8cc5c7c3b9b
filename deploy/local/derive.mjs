/**
 * Runs under the pinned Node, since it uses the compiled packages: reads `{namespaces, services, operator, producers, keys}`
 * on standard input and writes `{errors}` or `{accounts, namespaces: {<ns>: {inbox_prefix, outcome_consumers}}, keys}`.
 * `producers` gives `{user, pass}` by namespace; `keys` is how many new API keys are wanted.
 */
import { consumerNames, inboxPrefix, parseNamespaces, renderNatsAccounts } from '../../libs/contract/dist/index.js';

let input = '';
for await (const chunk of process.stdin) input += chunk;
const { namespaces: text, services, operator, producers, keys } = JSON.parse(input);
process.stdout.write(JSON.stringify(await derive()));

async function derive() {
  const parsed = parseNamespaces(text);
  if (!parsed.ok) return { errors: parsed.errors };
  const declared = Object.entries(parsed.namespaces);
  const namespaces = Object.fromEntries(declared.map(([namespace, names]) => [namespace, {
    inbox_prefix: inboxPrefix.namespace(namespace),
    outcome_consumers: names.map((name) => consumerNames.outcomes(namespace, name)),
  }]));
  const users = declared.filter(([namespace]) => producers[namespace])
    .map(([namespace, outcomeConsumers]) => ({ namespace, ...producers[namespace], outcomeConsumers }));
  const accounts = services ? renderNatsAccounts({ services, operator, producers: users }) : '';
  return { accounts, namespaces, keys: await newKeys(keys) };
}

async function newKeys(count) {
  if (!count) return [];
  const { generateApiKey } = await import('../../libs/runtime/dist/index.js');
  return Array.from({ length: count }, () => generateApiKey());
}
