// Four projects by what a test needs: nothing, real servers on this machine, a real API server, a whole cluster.
// `npm test` runs the first three; `npm test -- --project e2e` the fourth.

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const integration = ['test/integration/**/*.test.ts', 'test/chaos/**/*.test.ts'];
const e2e = ['test/e2e/**/*.test.ts'];
const kube = ['test/integration/{operator,crds}/**/*.test.ts', 'test/{cluster,charts}/**/*.test.ts'];

// Programs that tests start find their modules compiled, and their types stripped: half of what a start costs.
const env = { NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/compile', import.meta.url)) };

export default defineConfig({
  test: {
    // Two cores are what CI has; more workers only make the timings of real servers worse.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...integration, ...e2e, ...kube],
          pool: 'threads',
          // The files of a worker share their modules, none of which has a state of its own: loading them took half of the time.
          isolate: false,
          // Property tests take seconds on a machine that is busy with others.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'integration',
          env,
          include: integration,
          exclude: kube,
          pool: 'forks',
          testTimeout: 30_000,
          hookTimeout: 60_000,
          // Of the tests of one file that wait together.
          maxConcurrency: 4,
          // Runs after the unit tests, so that servers under test have the cores to themselves.
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'kube',
          env,
          include: kube,
          pool: 'forks',
          // They wait for API servers, leases and periods more than half of the time.
          maxWorkers: 3,
          // Builds what is missing: minutes, once. What the tests share starts when the first of them asks for it.
          globalSetup: ['test/cluster/global-setup.ts', 'test/charts/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 90_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'e2e',
          env,
          include: e2e,
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 600_000,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
