import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root, type Manifest } from './kustomize.ts';

const CUSTOM: Record<string, string> = { 'keda.sh': '@kubernetes-models/keda', 'monitoring.coreos.com': '@kubernetes-models/prometheus-operator', 'cert-manager.io': '@kubernetes-models/cert-manager' };

/** The module of an object's model: `kubernetes-models/apps/v1/Deployment`, or the package of a custom resource. */
function modelOf({ apiVersion, kind }: Manifest): string {
  const [group] = apiVersion.split('/');
  return `${CUSTOM[group!] ?? 'kubernetes-models'}/${apiVersion}/${kind}`;
}

const labelOf = ({ kind, metadata }: Manifest) => `${kind} ${metadata.name}`;

/** @returns what the models' own schemas say is wrong with values: one text an object */
export async function faultsByModel(manifests: Manifest[]): Promise<string[]> {
  const faults: string[] = [];
  for (const manifest of manifests) {
    const module = (await import(modelOf(manifest))) as Record<string, new (data: unknown) => { validate(): void }>;
    try {
      new module[manifest.kind]!(manifest).validate();
    } catch (error) {
      faults.push(`${labelOf(manifest)}: ${(error as Error).message}`);
    }
  }
  return faults;
}

/**
 * Has the compiler read every object as a literal of its model's type: it finds fields that a schema lets pass because it does not know them.
 * @returns the compiler's complaints, each with the object's name
 */
export async function faultsByType(name: string, manifests: Manifest[]): Promise<string[]> {
  const folder = join(root, 'test/deploy/node_modules/.rendered');
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${name}.mts`);
  const lines = manifests.map((manifest, index) => `import type { I${manifest.kind} as T${index} } from '${modelOf(manifest)}'; export const o${index}: T${index} = ${JSON.stringify(manifest)};`);
  await writeFile(file, `${lines.join('\n')}\n`);
  const args = [join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2024', '--types', '', '--ignoreConfig', file];
  const output = await new Promise<string>((done) => void execFile(process.execPath, args, { cwd: folder, maxBuffer: 16 * 1024 * 1024 }, (_, stdout, stderr) => done(`${stdout}${stderr}`)));
  return output.split('\n').filter((line) => line.includes('error TS')).map((line) => {
    const index = Number(/\((\d+),/.exec(line)?.[1] ?? 0) - 1;
    return `${manifests[index] ? labelOf(manifests[index]) : '?'}: ${line.slice(line.indexOf('error TS'))}`;
  });
}
