import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

export type ConsoleFile = { body: Buffer; gzip: Buffer | null; type: string; etag: string };

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.png': 'image/png',
};
const PACKED = new Set(['.woff2', '.png']);

/**
 * The files of the built console, by name: only what was found at the first look is ever served, whatever a path says. They are few
 * and small, and stay in memory. A folder that is not there has no files.
 */
export class ConsoleFiles {
  private readonly folder: string;
  private names: ReadonlySet<string> | null = null;
  private readonly loaded = new Map<string, ConsoleFile>();

  constructor(folder: string) {
    this.folder = folder;
  }

  find(name: string): ConsoleFile | null {
    this.names ??= new Set([...list(this.folder), ...list(join(this.folder, 'assets')).map((file) => `assets/${file}`)]);
    const type = TYPES[extname(name)];
    if (!this.names.has(name) || type === undefined) return null;
    const known = this.loaded.get(name);
    if (known) return known;
    const body = readFileSync(join(this.folder, name));
    const file = { body, type, gzip: PACKED.has(extname(name)) ? null : gzipSync(body, { level: 9 }), etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
    this.loaded.set(name, file);
    return file;
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => entry.name);
  } catch {
    return [];
  }
}
