/**
 * Makes the programs that services are started as, of what the compiler has written: `services/<name>/dist/bundle/` with `main.js` (our code),
 * `vendor.js` (the packages that it starts with) and a file for each thing that is loaded when it is wanted. 700 modules, each with a scope, exports and
 * a map, are a third of what a service would hold before it does anything, and half of the time until it is ready.
 *
 * `npm run build` calls it: `node deploy/bundle.mjs`.
 */
import { decode, encode } from '@jridgewell/sourcemap-codec';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { rolldown } from 'rolldown';
import { minify } from 'rolldown/utils';
import { BUNDLED, programOf, PROGRAMS } from './local/programs.mjs';

/** What Nest would use if it were there. */
const NOT_INSTALLED = /^(@nestjs\/(microservices|websockets|platform-express)|class-(transformer|validator)|@fastify\/(multipart|static|view))(\/|$)/;
const OURS = /[\\/](services|libs)[\\/][^\\/]+[\\/]dist[\\/].*\.js$/;
const MAP_COMMENT = /\n?\/\/# sourceMappingURL=.*\s*$/;

const isPackage = (id) => /[\\/]node_modules[\\/]/.test(id);

/** Our compiled code with its map to the TypeScript; where it asks for its own file's place it is told that, not the bundle's. */
const compiled = (folder) => ({
  name: 'compiled',
  load: {
    filter: { id: OURS },
    handler(id) {
      const place = `new URL(${JSON.stringify(relative(folder, id).replaceAll('\\', '/'))}, import.meta.url).href`;
      const code = readFileSync(id, 'utf8').replace(MAP_COMMENT, '\n').replaceAll('import.meta.url', place);
      if (/import\.meta\.(?!url)/.test(code)) throw new Error(`${id}: of import.meta only the url is known in a bundle`);
      return { code, map: existsSync(`${id}.map`) ? JSON.parse(readFileSync(`${id}.map`, 'utf8')) : null };
    },
  },
});

/** Collects what the program loads at its start: all that no `import()` stands before. */
const collectEager = (entry, eager) => ({
  name: 'collect-eager',
  buildEnd() {
    const queue = [entry];
    for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
      if (eager.has(id)) continue;
      eager.add(id);
      queue.push(...(this.getModuleInfo(id)?.importedIds ?? []));
    }
  },
});

/** Node reads every map when it loads a file, and pino has it taken apart at the start: packages have none, ours are thin. */
const trim = {
  name: 'trim',
  async generateBundle(_options, bundle) {
    for (const [name, file] of Object.entries(bundle)) {
      const map = bundle[`${name}.map`];
      if (file.type !== 'chunk' || !map) continue;
      if (file.moduleIds.every(isPackage)) {
        file.code = inAscii(name, await compact(name, file.code));
        delete bundle[map.fileName];
      } else {
        file.code = inAscii(name, file.code);
        map.source = thin(map.source);
      }
    }
  },
};

/** Without spaces, but with all names, so that stacks tell them. */
async function compact(name, source) {
  const { code, errors } = await minify(name, source.replace(MAP_COMMENT, '\n'), { module: true, compress: false, mangle: false, codegen: { removeWhitespace: true } });
  if (errors.length > 0) throw new Error(`${name}: ${errors[0].message}`);
  return code;
}

/** One character beyond Latin-1 makes V8 keep two bytes for each. */
function inAscii(name, code) {
  if (/(?<!\\)\\(?:\\\\)*[^\0-\x7f]|String\.raw/.test(code)) throw new Error(`${name}: has a character that cannot be written as an escape where it stands`);
  return code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/**
 * No copies of the sources, no names, and of a line only where another line of the source begins: what stacks tell are lines. Node makes two arrays
 * of each segment; with one for each token the state store's were 8 MB, a quarter of all that it held at rest.
 */
function thin(source) {
  const { sourcesContent: _, ...map } = JSON.parse(source);
  const mappings = decode(map.mappings).map((line) => {
    let last = '';
    return line.flatMap(([column, file, sourceLine, sourceColumn]) => {
      const place = `${file} ${sourceLine}`;
      if (file === undefined || place === last) return [];
      last = place;
      return [[column, file, sourceLine, sourceColumn]];
    });
  });
  return JSON.stringify({ ...map, names: [], mappings: encode(mappings) });
}

async function bundle(name) {
  const folder = dirname(programOf(name));
  const made = `${folder}.new`;
  const entry = join(folder, '..', 'main.js');
  const eager = new Set();
  const build = await rolldown({ input: entry, platform: 'node', external: NOT_INSTALLED, plugins: [compiled(folder), collectEager(entry, eager), trim], logLevel: 'warn' });
  rmSync(made, { recursive: true, force: true });
  await build.write({
    dir: made, format: 'esm', sourcemap: true, comments: false, entryFileNames: '[name].js', chunkFileNames: '[name].js', codeSplitting: { groups: [{ name: 'vendor', test: (id) => isPackage(id) && eager.has(id) }] },
  });
  await build.close();
  rmSync(folder, { recursive: true, force: true });
  renameSync(made, folder);
}

// Whatever becomes of this: what is there is not what it was made of any more.
rmSync(BUNDLED, { force: true });
await Promise.all(PROGRAMS.map(bundle));
