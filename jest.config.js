/** Every lib and app from source: `customExportConditions` picks each package's `core-infra-source` export. */
module.exports = {
  testMatch: ['<rootDir>/{libs,apps,test,bench}/**/*.spec.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['/dist/'],
  testEnvironment: '<rootDir>/libs/testing/jest-environment.cjs',
  testEnvironmentOptions: { customExportConditions: ['core-infra-source', 'node', 'node-addons'] },
  testTimeout: 60_000,
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': ['@swc/jest', require('./libs/testing/swc-options.cjs')] },
};
