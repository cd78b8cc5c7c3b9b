import { defineConfig } from 'vitest/config';

// Packages export their TypeScript under the condition `source`, so that tests run without a build.
const conditions = ['source', 'node'];
const source = { resolve: { conditions }, ssr: { resolve: { conditions } } };
const exclude = ['**/node_modules/**', '**/dist/**'];

export default defineConfig({
  test: {
    projects: [
      {
        ...source,
        test: {
          name: 'unit',
          include: ['libs/*/src/**/*.test.ts', 'services/*/src/**/*.test.ts', 'test/conformance/**/*.test.ts', 'test/deploy/**/*.test.ts'],
          exclude: ['**/*.integration.test.ts', '**/*.e2e.test.ts', ...exclude],
          testTimeout: 30_000,
        },
      },
      {
        ...source,
        test: {
          name: 'integration',
          include: ['libs/*/src/**/*.integration.test.ts', 'services/*/src/**/*.integration.test.ts', 'test/deploy/**/*.integration.test.ts'],
          exclude,
          globalSetup: ['libs/testing/src/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      {
        ...source,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', 'test/attacks/**/*.test.ts', 'test/faults/**/*.test.ts', 'test/deploy/**/*.e2e.test.ts'],
          exclude,
          testTimeout: 300_000,
          hookTimeout: 180_000,
          // Whole stacks share two cores: one at a time.
          fileParallelism: false,
        },
      },
      {
        ...source,
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          exclude,
          testTimeout: 120_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
