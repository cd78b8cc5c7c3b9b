import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Our libraries do nothing when they are loaded: what the page does not use of them stays out of it. */
const isPure = (id: string): boolean => /\/libs\/(contract|client)\/src\//.test(id);

// The libraries are read from their sources, so that building the page waits for no other build.
export default defineConfig({
  plugins: [react()],
  resolve: { conditions: ['source', 'module', 'browser', 'development|production'] },
  build: {
    outDir: 'dist/app',
    target: 'es2023',
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
    modulePreload: { polyfill: false },
    rolldownOptions: { treeshake: { moduleSideEffects: (id) => !isPure(id) } },
  },
});
