import type { Arguments, Operation, Result } from '../command.ts';
import { UsageError } from '../failures.ts';
import { withOwner } from './database.ts';
import { asked } from './faults.ts';

type Env = Record<string, string | undefined>;

async function create(args: Arguments, env: Env): Promise<Result> {
  const [folder, secret] = [args.get('folder'), args.get('secret')];
  if ((folder === undefined) === (secret === undefined)) throw new UsageError('say where the keys are kept: --folder or --secret');
  return asked(async () => {
    const { createFirstKeys, folderPlace, ownCluster, readOperatorConfig, secretPlace } = await import('@umpire/operations');
    const namespaces = Object.keys(readOperatorConfig(env).namespaces);
    const place = async () => (folder !== undefined ? folderPlace(folder) : secretPlace(await ownCluster(env), secret!));
    const added = await withOwner(env, async (sql) => createFirstKeys(sql, namespaces, await place()));
    const where = folder !== undefined ? `in ${folder}` : `in secret ${secret}`;
    return { json: { added, namespaces }, text: namespaces.map((namespace) => `${namespace}: ${added.includes(namespace) ? 'made, kept' : 'there already,'} ${where}`).join('\n') };
  });
}

export const firstKey: Operation[] = [
  {
    name: 'first-key create', takes: [], about: 'each namespace\'s first admin key, kept in a folder or in a Kubernetes Secret; again without effect',
    options: { folder: { value: '<path>', about: 'a file for each namespace, made if missing' }, secret: { value: '<name>', about: 'an existing Secret beside this pod, an entry for each namespace' } },
    run: create,
  },
];
