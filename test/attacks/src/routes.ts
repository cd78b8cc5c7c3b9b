import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** One route as a controller declares it: `/hitl/escalations/:id`. */
export type Route = { method: string; path: string };

/** Every route of the product, read from the controllers, so that a new one is attacked without anybody thinking of it. */
export function declaredRoutes(): Route[] {
  return globSync('services/*/src/**/*.controller.ts', { cwd: root }).sort().flatMap((file) => {
    const source = readFileSync(root + file, 'utf8');
    const prefix = /@GuardedController\((?:'([^']*)')?\)/.exec(source)?.[1] ?? '';
    return [...source.matchAll(/^ {2}@(Get|Post|Put|Patch|Delete|Command)\((?:'([^']*)')?/gm)].map(([, verb, path]) => ({
      method: verb === 'Command' ? 'POST' : verb!.toUpperCase(),
      path: `/${[prefix, path].filter(Boolean).join('/')}`,
    }));
  });
}

/** Pages, and what anybody may see. */
const PUBLIC = /^\/($|e\/|console\/|assets\/|schemas|asyncapi|semantics|openapi|docs|session|\.well-known)/;
export const isGuarded = ({ path }: Route): boolean => !PUBLIC.test(path);
