import { defineConfig } from 'vitest/config';

// Packages export their TypeScript under the condition `source`, so that tests run without a build.
const source = { resolve: { conditions: ['source', 'node', 'import', 'default'] }, ssr: { resolve: { conditions: ['source', 'node', 'import', 'default'] } } };

export default defineConfig({
  test: {
    projects: [
      {
        ...source,
        test: {
          name: 'unit',
          include: ['libs/*/src/**/*.test.ts', 'services/*/src/**/*.test.ts', 'test/conformance/**/*.test.ts'],
          exclude: ['**/*.integration.test.ts', '**/node_modules/**', '**/dist/**'],
        },
      },
    ],
  },
});
