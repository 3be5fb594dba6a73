// Every file of deploy/examples, applied as it is but for its keys: all of its resources become ready.

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
});
