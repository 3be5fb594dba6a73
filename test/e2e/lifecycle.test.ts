// Releases over their life: upgrades that bring new definitions, an end that leaves people's objects alone, two side by
// side, and one that needs no permission for the whole cluster.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { chartFolder } from '../charts/helm.ts';
import { type Application, resource, startApplication } from './application.ts';
import { requiresCluster } from './cluster.ts';
import { install, type Release, releaseArgs } from './release.ts';

const { cluster, describe } = await requiresCluster();

describe('a release', () => {
  let release: Release;
  let application: Application;
  const others: Release[] = [];

  beforeAll(async () => {
    release = await install(cluster);
    application = await startApplication(release);
  });
  afterEach(async () => {
    for (const other of others.splice(0)) await other.remove();
  });
  afterAll(() => release?.remove());

  async function askWithNewMember(): Promise<void> {
    const client = { models: ['chat'], generate: { secretName: 'other-key' } };
    const key = resource(release, 'LLMKey', 'other', { type: 'Client', client, ofTheNext: 'known' });
    await release.kubectl(['apply', '--dry-run=server', '-f', '-'], JSON.stringify(key));
  }

  test('needs no ClusterRole', async () => {
    const names = await cluster.kubectl(['get', 'clusterroles,clusterrolebindings', '-o', 'json']);
    const { items } = JSON.parse(names) as {
      readonly items: readonly { readonly metadata: { readonly name: string; readonly labels?: object } }[];
    };
    const own = items.filter(({ metadata }) => JSON.stringify(metadata.labels ?? {}).includes('sluice'));
    expect(own).toEqual([]);
    expect(await application.ask()).toMatchObject({ status: 200 });
  });

  test('stands beside another of another class, and neither serves what is the other’s', async () => {
    const other = await install(cluster, { values: { crds: { enabled: false } } });
    others.push(other);
    const otherApplication = await startApplication(other);
    expect(await otherApplication.ask()).toMatchObject({ status: 200 });
    expect(await otherApplication.ask({ key: await application.key() })).toMatchObject({ status: 401 });
    expect(await application.ask({ key: await otherApplication.key() })).toMatchObject({ status: 401 });
  });

  test('is upgraded to a chart with other definitions under load', async () => {
    const chart = mkdtempSync(join(tmpdir(), 'sluice-next-'));
    try {
      cpSync(chartFolder('sluice'), chart, { recursive: true });
      const file = join(chart, 'templates/crds/sluice.dev_llmkeys.yaml');
      const text = readFileSync(file, 'utf8');
      const member = `                ofTheNext: {type: string}\n`;
      writeFileSync(
        file,
        text.replace(/^ {16}className:\n/m, (line) => member + line),
      );
      await expect(askWithNewMember()).rejects.toThrow('unknown field "spec.ofTheNext"');
      const { failed, truncated, failures } = await application.during({ workers: 4, pauseMs: 50 }, async () => {
        const options = { chart, values: { proxy: { podAnnotations: { 'example.com/version': 'next' } } } };
        await cluster.helm(['upgrade', ...releaseArgs(cluster, 'sluice', release.namespace, options)]);
      });
      expect({ failed, truncated, failures }).toEqual({ failed: 0, truncated: 0, failures: [] });
    } finally {
      rmSync(chart, { recursive: true });
    }
    await askWithNewMember();
    expect(await application.ask()).toMatchObject({ status: 200 });
  });

  test('leaves definitions and objects behind when it goes, and serves them when it comes back', async () => {
    await cluster.helm(['uninstall', 'sluice', `--namespace=${release.namespace}`, '--wait=hookOnly']);
    expect(await release.kubectl(['get', 'llmp,llmr,llmk', '-o', 'name'])).toContain('llmroute.sluice.dev/chat');
    const key = await application.key();
    await install(cluster, { namespace: release.namespace });
    await release.kubectl(['wait', '--for=condition=Ready', 'llmp,llmr,llmk', '--all', '--timeout=60s']);
    expect(await application.ask({ key })).toMatchObject({ status: 200, text: 'one-0 one-1 one-2 ' });
  });
});
