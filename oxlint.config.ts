// The linter's rules. What a folder may import in detail is kept by test/architecture.test.ts; here are the packages
// that only one folder may know, so that an editor says so while the import is being typed.

import { defineConfig, type DummyRuleMap } from 'oxlint';

const owned = {
  fastify: { group: ['fastify', '@fastify/*'], message: 'only proxy/ingress and proxy/admin know fastify' },
  undici: {
    group: ['undici', 'undici/*'],
    message: 'only proxy/upstream, the kube folders and operator/acks know undici',
  },
  redis: { group: ['ioredis', 'ioredis/*'], message: 'only proxy/state knows Redis' },
  telemetry: {
    group: ['prom-client', 'pino', 'pino/*', '@opentelemetry/*'],
    message: 'only the telemetry folders know prom-client, pino and OpenTelemetry',
  },
  kubernetes: { group: ['@kubernetes/*'], message: 'only operator/kube knows the Kubernetes client' },
};

const proxyFence = {
  group: ['**/operator/**', '**/crds/**'],
  message: 'the proxy knows nothing of the operator and its kinds',
};

const operatorFence = {
  group: ['**/proxy/**', '!**/proxy/config/schema.ts', '!**/proxy/config/match-expression.ts'],
  message: 'all that the operator knows of the proxy is the contract: proxy/config/schema.ts and match-expression.ts',
};

// Part of the category `correctness`, but matters of taste, or unaware of property tests, of tables of tests, and of
// vitest's (name, options, callback).
const unwanted: DummyRuleMap = {
  'vitest/expect-expect': 'off',
  'vitest/no-conditional-expect': 'off',
  'vitest/no-conditional-tests': 'off',
  'vitest/no-disabled-tests': 'off',
  'vitest/no-standalone-expect': 'off',
  'vitest/prefer-snapshot-hint': 'off',
  'vitest/require-mock-type-parameters': 'off',
  'vitest/require-to-throw-message': 'off',
  'vitest/valid-describe-callback': 'off',
  'vitest/valid-title': 'off',
  'typescript/no-misused-spread': 'off',
};

/** Forbids every owned package but those allowed, and what lies behind the fence. */
function imports(
  allowed: readonly (keyof typeof owned)[] = [],
  fence?: { group: string[]; message: string },
): DummyRuleMap {
  const forbidden = (Object.keys(owned) as (keyof typeof owned)[]).filter((name) => !allowed.includes(name));
  const patterns = forbidden.map((name) => owned[name]);
  return { 'no-restricted-imports': ['error', { patterns: fence ? [...patterns, fence] : patterns }] };
}

export default defineConfig({
  plugins: ['typescript', 'oxc', 'unicorn', 'import', 'node', 'vitest'],
  options: { typeAware: true, denyWarnings: true, reportUnusedDisableDirectives: 'error' },
  categories: { correctness: 'error' },
  env: { node: true, es2025: true },
  ignorePatterns: ['/charts/'],
  rules: {
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/await-thenable': 'error',
    'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    'typescript/no-explicit-any': 'error',
    'typescript/ban-ts-comment': 'error',
    'typescript/consistent-type-imports': 'error',
    'import/no-cycle': 'error',
    'import/no-default-export': 'error',
    'oxc/no-barrel-file': ['error', { threshold: 0 }],
    'node/no-process-env': 'error',
    'unicorn/no-process-exit': 'error',
    'unicorn/filename-case': ['error', { case: 'kebabCase' }],
    'prefer-const': 'error',
    'no-var': 'error',
    eqeqeq: 'error',
    'no-console': 'error',
    'max-lines': ['error', { max: 400 }],
    'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
    'vitest/no-focused-tests': 'error',
    'vitest/valid-expect': ['error', { maxArgs: 2 }],
    'vitest/valid-expect-in-promise': 'error',
    ...unwanted,
    ...imports(),
  },
  overrides: [
    { files: ['proxy/**'], rules: imports([], proxyFence) },
    { files: ['proxy/ingress/**', 'proxy/admin/**'], rules: imports(['fastify'], proxyFence) },
    { files: ['proxy/upstream/**', 'proxy/kube/**'], rules: imports(['undici'], proxyFence) },
    { files: ['proxy/state/**'], rules: imports(['redis'], proxyFence) },
    { files: ['proxy/telemetry/**'], rules: imports(['telemetry'], proxyFence) },
    { files: ['operator/**'], rules: imports([], operatorFence) },
    { files: ['operator/kube/**'], rules: imports(['kubernetes', 'undici'], operatorFence) },
    { files: ['operator/acks/**'], rules: imports(['undici'], operatorFence) },
    { files: ['operator/telemetry/**'], rules: imports(['telemetry'], operatorFence) },
    {
      files: ['**/main.ts'],
      rules: { 'node/no-process-env': 'off', 'unicorn/no-process-exit': 'off', 'no-console': 'off' },
    },
    { files: ['test/bench/**', 'test/report/**'], rules: { 'no-console': 'off' } },
    { files: ['*.config.ts'], rules: { 'import/no-default-export': 'off' } },
    {
      files: ['test/**'],
      rules: {
        'node/no-process-env': 'off',
        'unicorn/no-process-exit': 'off',
        'max-lines-per-function': 'off',
        'no-restricted-imports': 'off',
      },
    },
  ],
});
