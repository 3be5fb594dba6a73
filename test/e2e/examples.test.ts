// Every file of deploy/examples, applied as it is but for its keys: all of its resources become ready. And the demo for kind.

import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe as group, expect, test } from 'vitest';
import { parseManifests } from '../charts/helm.ts';
import { requiresCluster } from './cluster.ts';
import { install, makeNamespace, type Release } from './release.ts';

const { cluster, describe } = await requiresCluster();
const folder = fileURLToPath(new URL('../../deploy/examples', import.meta.url));
const examples = globSync(`${folder}/*.yaml`).toSorted();
const demo = fileURLToPath(new URL('../../deploy/kind/demo.yaml', import.meta.url));
/** What the application of the demo would do, in a pod that has Node but no client: says status and attempts of each request. */
const askManyTimes = `
  const [, url, key] = process.argv;
  const body = JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'Hello' }] });
  const headers = { authorization: 'Bearer ' + key, 'content-type': 'application/json' };
  for (let request = 0; request < 30; request++) {
    const answer = await fetch(url, { method: 'POST', headers, body });
    console.log(answer.status, answer.headers.get('x-sluice-attempts'));
    await answer.text();
  }`;

describe('with a release for all namespaces', () => {
  let release: Release;

  beforeAll(async () => {
    // The examples are of the usual class.
    release = await install(cluster, { className: 'default', values: { watch: { allNamespaces: true } } });
  });
  afterAll(() => release?.remove());

  group.each(examples.map((path) => [basename(path), path] as const))('the example %s', (_, path) => {
    const namespaces = new Set<string>();
    afterAll(() => cluster.kubectl(['delete', 'namespace', ...namespaces, '--ignore-not-found', '--wait=false']));

    test('becomes ready', async () => {
      const home = await makeNamespace(cluster);
      namespaces.add(home);
      // What kubectl does not fill in; any text will do for a key.
      const text = readFileSync(path, 'utf8').replaceAll(/\$\{(\w+)[^}]*\}/g, 'sk-$1');
      const objects = parseManifests(text);
      const named = objects
        .map(({ metadata, kind }) => (kind === 'Namespace' ? metadata.name : metadata.namespace))
        .filter((name) => name !== undefined);
      for (const name of new Set(named)) {
        // What is there already is somebody's, and must not go with the test.
        await cluster.kubectl(['create', 'namespace', name]);
        namespaces.add(name);
      }
      // kubectl refuses to be told of a namespace for objects that have one.
      const place = named.length === 0 ? [`--namespace=${home}`] : [];
      await cluster.kubectl([...place, 'apply', '-f', '-'], text);
      const ours = objects.filter(({ apiVersion }) => apiVersion.startsWith('sluice.dev/'));
      expect(ours.length).toBeGreaterThan(1);
      for (const { kind, metadata } of ours) {
        const object = `${kind.toLowerCase()}/${metadata.name}`;
        const where = `--namespace=${metadata.namespace ?? home}`;
        const said = await cluster.kubectl([where, 'wait', '--for=condition=Ready', object, '--timeout=30s']);
        expect(said).toContain('condition met');
      }
    });
  });

  group('the demo', () => {
    afterAll(() => cluster.kubectl(['delete', 'namespace', 'demo', '--ignore-not-found', '--wait=false']));

    test('answers every request, though one of its backends is broken', async () => {
      const text = readFileSync(demo, 'utf8').replace('docker.io/library/sluice:dev', cluster.images.sluice);
      await cluster.kubectl(['apply', '-f', '-'], text);
      const inDemo = (...args: string[]): Promise<string> => cluster.kubectl(['--namespace=demo', ...args]);
      await inDemo('rollout', 'status', 'deployment/stand-ins', '--timeout=90s');
      await inDemo('wait', '--for=condition=Ready', 'llmp,llmr,llmk', '--all', '--timeout=30s');
      const encoded = await inDemo('get', 'secret', 'my-app-llm-key', '--output=jsonpath={.data.key}');
      const key = Buffer.from(encoded, 'base64').toString();
      const url = `http://sluice.${release.namespace}.svc.cluster.local/v1/chat/completions`;
      const script = ['node', '--input-type=module', '-e', askManyTimes, url, key];
      const lines = (await inDemo('exec', 'deployment/stand-ins', '--', ...script)).trimEnd().split('\n');
      expect(lines).toHaveLength(30);
      // A second attempt is the request that came to the broken one; at most one in each proxy.
      expect(new Set(lines)).toEqual(new Set(['200 1', '200 2']));
      expect(lines.filter((line) => line === '200 2').length).toBeLessThanOrEqual(2);
    });
  });
});
