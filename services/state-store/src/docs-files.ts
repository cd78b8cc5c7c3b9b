import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

type File = { type: string; body: Buffer };

const JS = 'text/javascript; charset=utf-8';
const CSS = 'text/css; charset=utf-8';
const bundled = createRequire(import.meta.url);
const ours = (name: string) => new URL(`../docs/${name}`, import.meta.url);

/** The few files that the pages are made of, by the name that they are asked for; nothing else is ever read. */
const FILES: Readonly<Record<string, { type: string; read: () => Buffer }>> = {
  'swagger-ui.css': { type: CSS, read: () => readFileSync(bundled.resolve('swagger-ui-dist/swagger-ui.css')) },
  'swagger-ui-bundle.js': { type: JS, read: () => readFileSync(bundled.resolve('swagger-ui-dist/swagger-ui-bundle.js')) },
  'reference.js': { type: JS, read: () => readFileSync(ours('reference.js')) },
  'docs.css': { type: CSS, read: () => readFileSync(ours('docs.css')) },
};
const loaded = new Map<string, File>();
let document: string | null = null;

export function docsFile(name: string): File | null {
  const known = loaded.get(name);
  if (known) return known;
  if (!Object.hasOwn(FILES, name)) return null;
  const { type, read } = FILES[name]!;
  const file = { type, body: read() };
  loaded.set(name, file);
  return file;
}

/** The merged document, written by `npm run openapi`. */
export function openApiText(): string {
  document ??= readFileSync(ours('openapi.json'), 'utf8');
  return document;
}

export const referencePage = (): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Umpire: reference</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/files/swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<noscript>The document itself: <a href="/openapi.json">openapi.json</a></noscript>
<script src="/docs/files/swagger-ui-bundle.js"></script>
<script src="/docs/files/reference.js"></script>
</body>
</html>
`;
