// A large installation: the compiler runs on every change, so it must not be what a change waits for.

import { expect, test, vi } from 'vitest';
import { compile } from '../../../operator/compile/compile.ts';
import type { World } from '../../../operator/compile/world.ts';
import { type Manifest, toWorld } from './world-of.ts';

vi.setConfig({ testTimeout: 60_000 });

test('1,000 routes, 200 providers and 2,000 keys compile in well under five seconds', () => {
  const world = largeWorld();
  const start = performance.now();
  const { config, credentials, diagnostics } = compile(world);
  const milliseconds = Math.round(performance.now() - start);
  const bytes = JSON.stringify(config).length;
  process.stdout.write(
    `1,000 routes, 200 providers, 2,000 keys: ${bytes} bytes of configuration in ${milliseconds} ms\n`,
  );
  expect(diagnostics).toEqual([]);
  expect([
    config.routes.length,
    config.providers.length,
    credentials.upstream.length,
    credentials.clients.length,
  ]).toEqual([1_000, 200, 1_000, 1_000]);
  expect(milliseconds).toBeLessThan(5_000);
});

function largeWorld(): World {
  const count = <T>(length: number, make: (index: number) => T): T[] =>
    Array.from({ length }, (_, index) => make(index));
  const namespace = (index: number): string => `team-${index % 20}`;
  const manifests: Manifest[] = [
    ...count(200, (index) => ({
      kind: 'LLMProvider',
      metadata: { name: `provider-${index}`, namespace: namespace(index) },
      spec: {
        type: 'OpenAI',
        models: count(10, (model) => ({
          name: `model-${model}`,
          price: { inputPerMillion: '1', outputPerMillion: '2' },
        })),
      },
    })),
    ...count(1_000, (index) => ({
      kind: 'LLMRoute',
      metadata: { name: `route-${index}`, namespace: namespace(index) },
      spec: {
        path: `/route-${index}`,
        models: [{ name: `public-${index}-`, type: 'Prefix' }, { name: `name-${index}` }],
        rules: count(3, (rule) => ({
          name: `rule-${rule}`,
          matches: [{ cel: `request.headers["x-rule"] == "${rule}" && client.tenant != "t${index}"` }],
          backends: count(4, (backend) => ({
            name: `backend-${backend}`,
            providerRef: { name: `provider-${(index % 20) + 20 * backend}` },
            model: `model-${backend}`,
          })),
        })),
      },
    })),
    ...count(2_000, (index) => key(index, namespace(index % 200))),
    ...count(2_000, (index) => ({
      kind: 'Secret',
      metadata: {
        name: `secret-${index}`,
        namespace: namespace(index % 200),
        labels: { 'sluice.dev/credential': 'true' },
      },
      stringData: { key: `CANARY-${index}` },
    })),
  ];
  return toWorld(manifests);
}

function key(index: number, namespace: string): Manifest {
  const own =
    index < 1_000
      ? { type: 'Upstream', upstream: { providerRef: { name: `provider-${index % 200}` } } }
      : { type: 'Client', client: { models: ['*'] } };
  const spec = { ...own, secretRef: { name: `secret-${index}`, key: 'key' } };
  return { kind: 'LLMKey', metadata: { name: `key-${index}`, namespace }, spec };
}
