/** The walls between packages: docs/architecture.md says what may import what, and why. */

const TEST = '(\\.test\\.tsx?$|/test/)';
const PACKAGE = '^((?:libs|services|test)/[^/]+|examples)/';
/** The client has a second one, so that pages do not load NATS. */
const FRONT_DOORS = ['^(libs|services)/[^/]+/src/index\\.ts$', '^libs/client/src/nats/index\\.ts$'];
/** Node's own modules, by any spelling. */
const NODE = { dependencyTypes: ['core'] };

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', comment: 'Every import leads somewhere; what is compiled may not be there yet.', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: '^(\\.\\./)+libs/[^/]+/dist/' } },
    {
      name: 'services-apart',
      comment: 'Services talk through NATS. Only all-in-one puts them together, and tests.',
      severity: 'error',
      from: { path: '^services/([^/]+)/', pathNot: ['^services/all-in-one/', TEST] },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    {
      name: 'libs-below-services',
      severity: 'error',
      from: { path: '^libs/', pathNot: '^libs/testing/' },
      to: { path: '^(services|deploy|test)/' },
    },
    {
      name: 'contract-alone',
      comment: 'The contract is shared by all and depends on none of them.',
      severity: 'error',
      from: { path: '^libs/contract/', pathNot: TEST },
      to: { path: '^(libs|services|deploy)/', pathNot: '^libs/contract/' },
    },
    {
      name: 'contract-in-browsers',
      comment: 'The contract runs in a browser: nothing of Node.',
      severity: 'error',
      from: { path: '^libs/contract/', pathNot: TEST },
      to: NODE,
    },
    {
      name: 'client-in-browsers',
      comment: 'The client runs in a browser; what speaks NATS stands apart.',
      severity: 'error',
      from: { path: '^libs/client/src/(?!nats/)', pathNot: TEST },
      to: { path: ['^libs/client/src/nats/', 'node_modules/@nats-io/'] },
    },
    {
      name: 'client-without-node',
      severity: 'error',
      from: { path: '^libs/client/', pathNot: TEST },
      to: NODE,
    },
    {
      name: 'client-knows-the-contract',
      comment: 'What others may use knows what travels, and nothing of how it is decided.',
      severity: 'error',
      from: { path: '^libs/client/', pathNot: TEST },
      to: { path: '^(libs|services|deploy)/', pathNot: '^libs/(client|contract)/' },
    },
    {
      name: 'console-in-browsers',
      severity: 'error',
      from: { path: '^services/console/src/', pathNot: TEST },
      to: NODE,
    },
    {
      name: 'pure-of-node',
      comment: 'Rules are pure: no I/O, no clock.',
      severity: 'error',
      from: { path: '^libs/(domain|alignment)/', pathNot: TEST },
      to: NODE,
    },
    {
      name: 'pure-of-others',
      comment: 'Rules know the contract and nothing else.',
      severity: 'error',
      from: { path: '^libs/(domain|alignment)/', pathNot: TEST },
      to: { pathNot: ['^libs/contract/src/index\\.ts$', '^libs/$1/'], dependencyTypesNot: ['core'] },
    },
    {
      name: 'runtime-without-business',
      comment: 'Plumbing knows principals and errors of the contract, and no rule.',
      severity: 'error',
      from: { path: '^libs/runtime/', pathNot: TEST },
      to: { path: '^libs/', pathNot: '^libs/(runtime|contract)/' },
    },
    {
      name: 'testing-from-tests',
      severity: 'error',
      from: { pathNot: [TEST, '^libs/testing/', '^test/', '^vitest\\.config\\.ts$'] },
      to: { path: '^libs/testing/' },
    },
    {
      name: 'tests-from-tests',
      comment: 'What only tests use is not part of the product.',
      severity: 'error',
      from: { pathNot: [TEST, '^libs/testing/', '^test/'] },
      to: { path: [TEST, '^test/'] },
    },
    {
      name: 'front-doors',
      comment: 'Another package is entered through its index, by its name. Tests may share what is for tests only.',
      severity: 'error',
      from: { path: PACKAGE, pathNot: TEST },
      to: { path: '^(libs|services)/', pathNot: ['^$1/', ...FRONT_DOORS, '^libs/testing/test/'] },
    },
    {
      name: 'front-doors-of-tests',
      severity: 'error',
      from: { path: `${PACKAGE}.*${TEST}` },
      to: { path: '^(libs|services)/', pathNot: ['^$1/', ...FRONT_DOORS, '^(libs|services)/[^/]+/(src/)?test/'] },
    },
    {
      name: 'by-name',
      comment: 'Another package is named, never reached by a relative path. What is for tests only may be.',
      severity: 'error',
      from: { path: PACKAGE },
      to: { path: PACKAGE, pathNot: ['^$1/', '^test/', '^(libs|services)/[^/]+/(src/)?test/'], dependencyTypes: ['local'] },
    },
    {
      name: 'declared',
      comment: 'What is imported stands in the package\'s own package.json; the test tools stand in the root\'s.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'], pathNot: '/node_modules/(vitest|fast-check)/' },
    },
    {
      name: 'product-without-dev-dependencies',
      severity: 'error',
      from: { path: '^(libs|services)/[^/]+/src/', pathNot: TEST },
      to: { dependencyTypes: ['npm-dev'] },
    },
    {
      name: 'local-without-dependencies',
      comment: 'What brings the dependencies cannot have any. The demo runs after it.',
      severity: 'error',
      from: { path: '^deploy/local/', pathNot: '^deploy/local/demo/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '/dist/'] },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    preserveSymlinks: false,
    enhancedResolveOptions: { conditionNames: ['source', 'import', 'node', 'default'], exportsFields: ['exports'], extensions: ['.ts', '.tsx', '.mts', '.mjs', '.js', '.d.ts', '.d.mts', '.json'] },
  },
};
