/**
 * Writes the files of this folder that are made from something else: NATS accounts from the topology, the Prometheus operator's rules from
 * deploy/observability/rules.yaml. `--check` only says which are not as they would be written (exit code 1). Needs the compiled code.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { accountsConfig } from '../libs/operations/dist/index.js';

const here = (path) => new URL(path, import.meta.url);
const indented = (text, spaces) => text.split('\n').map((line) => (line === '' ? line : ' '.repeat(spaces) + line)).join('\n');

/** The rules as the operator's resource: their own text, two further in. */
function prometheusRule() {
  const rules = readFileSync(here('observability/rules.yaml'), 'utf8');
  const groups = rules.slice(rules.indexOf('\ngroups:') + 1).trimEnd();
  return `# Generated from deploy/observability/rules.yaml (deploy/generate.mjs).
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: umpire
spec:
${indented(groups, 2)}
`;
}

const accounts = accountsConfig({ default: ['main'] });
const files = {
  // The server looks for a variable in the file that names it, and in what that one includes.
  'nats/accounts.conf': `include passwords.conf\n${accounts}`,
  'k8s/overlays/dev/accounts.conf': accounts,
  'k8s/components/monitoring/prometheus-rule.yaml': prometheusRule(),
};

const stale = Object.entries(files).filter(([path, text]) => !existsSync(here(path)) || readFileSync(here(path), 'utf8') !== text).map(([path]) => path);
if (!process.argv.includes('--check')) for (const path of stale) writeFileSync(here(path), files[path]);
for (const path of stale) process.stdout.write(`deploy/${path}\n`);
if (process.argv.includes('--check') && stale.length > 0) process.exitCode = 1;
