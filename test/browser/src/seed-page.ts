import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** Where the seed's page expects to be. */
export const SEED_ORIGIN = 'http://localhost:8000';

const SEED = fileURLToPath(new URL('../../../../shared/seeds/hitl-comprehensive-design.md', import.meta.url));
/** The seed with the page in it, which lies beside the repository; null where it does not. */
export const seedPath = existsSync(SEED) ? SEED : null;

/** What the seed leaves to its user: the card (it names one and gives none), and where the dashboard stands. */
const aroundIt = (userId: string): string => `
import { createRoot } from 'react-dom/client';
const InteractionCard = ({ interaction, onRespond }: { interaction: HITLInteraction; onRespond: (id: string, response: any) => void }) => (
  <p>{interaction.interaction_id}: {interaction.status} <button onClick={() => onRespond(interaction.interaction_id, { decision: 'approve' })}>Approve {interaction.interaction_id}</button></p>
);
createRoot(document.getElementById('root')!).render(<HITLDashboard userId=${JSON.stringify(userId)} />);
`;

/** @returns a script that runs the seed's component as it stands in the seed, letter for letter, in the element `root` */
export async function buildSeedScript(userId: string): Promise<string> {
  const component = /```typescript\n(import React[^]*?)```/.exec(readFileSync(SEED, 'utf8'))?.[1];
  if (component === undefined) throw new Error('the seed has no page any more');
  const entry = fileURLToPath(new URL('seed-dashboard.tsx', import.meta.url));
  const built = await build({
    configFile: false,
    logLevel: 'error',
    root: fileURLToPath(new URL('.', import.meta.url)),
    mode: 'production',
    define: { 'process.env.NODE_ENV': '"production"' },
    // The test runner's environment is none that Vite takes for production.
    oxc: { jsx: { runtime: 'automatic', development: false } },
    plugins: [{ name: 'seed', resolveId: (id) => (id === entry ? entry : null), load: (id) => (id === entry ? component + aroundIt(userId) : null) }],
    build: { write: false, minify: false, modulePreload: false, rolldownOptions: { input: entry } },
  });
  const [bundle] = [built].flat();
  if (bundle === undefined || !('output' in bundle)) throw new Error('the seed was not built');
  return bundle.output[0].code;
}
