// What people do first: install the chart, make the first call as its notes say, run `helm test`.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Application, startApplication } from './application.ts';
import { requiresCluster } from './cluster.ts';
import { install, type Release } from './release.ts';

const { cluster, describe } = await requiresCluster();

describe('a release', () => {
  let release: Release;
  let application: Application;

  beforeAll(async () => {
    release = await install(cluster);
    application = await startApplication(release);
  });
  afterAll(() => release?.remove());

  test('is ready, in a namespace that admits restricted pods only', async () => {
    expect(await release.pods('operator')).toHaveLength(2);
    expect(await release.pods('proxy')).toHaveLength(2);
    expect(await release.pods('redis')).toHaveLength(1);
  });

  test('answers the official client, which calls the Service by its name with the key from its Secret', async () => {
    expect(await application.ask()).toMatchObject({ status: 200, finish: 'stop', text: 'one-0 one-1 one-2 ' });
    const streamed = await application.ask({ stream: true, content: '{"pieces":5,"everyMs":50}' });
    expect(streamed).toMatchObject({ status: 200, finish: 'stop', text: 'one-0 one-1 one-2 one-3 one-4 ' });
  });

  test('refuses a key that is not one', async () => {
    expect(await application.ask({ key: 'sk-made-up' })).toMatchObject({ status: 401 });
  });

  test('sends the upstream its key, and never that of the client', async () => {
    const { asked, refusedKeys } = await application.upstream('one');
    expect(asked).toBeGreaterThan(0);
    expect(refusedKeys).toBe(0);
  });

  test('has notes whose resources are accepted as they are printed', async () => {
    const [, yaml = ''] = /<<'EOF'\n([\s\S]*?)\n {2}EOF\n/.exec(release.notes) ?? [];
    expect(yaml).toContain('kind: LLMRoute');
    await release.kubectl(['apply', '--dry-run=server', '-f', '-'], yaml.replaceAll(/^ {2}/gm, ''));
    expect(release.notes).toContain(`http://sluice.${release.namespace}.svc/v1 as its base URL`);
  });

  test('passes helm test', async () => {
    const said = await cluster.helm(['test', 'sluice', `--namespace=${release.namespace}`, '--logs']);
    expect(said).toContain('GET /v1/models: 200');
  });
});
