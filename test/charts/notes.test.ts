// What people read after `helm install`, followed to the letter: its resources are valid, its names are there.

import { expect, test } from 'vitest';
import { exampleNames, exampleRelease } from './example-values.ts';
import { type Manifest, parseManifests, releaseArgs, type ReleaseOptions } from './helm.ts';
import { requiresChartPrograms } from './requires-charts.ts';
import { resourceKinds } from './resources.ts';

const { helm, describe } = requiresChartPrograms();

async function notesOf(options: ReleaseOptions): Promise<string> {
  const { apiVersions: _, ...without } = options;
  // Without a cluster there is no Prometheus Operator, and it says nothing in the notes.
  const never = ['--set=monitoring.monitors=Never,monitoring.alerts=Never'];
  const { stdout, stderr } = await helm.run(['install', ...releaseArgs(without), ...never, '--dry-run=client']);
  const [, notes] = stdout.split(/^NOTES:\n/m);
  if (notes === undefined) throw new Error(stderr);
  return notes;
}

function resourcesIn(notes: string): readonly Manifest[] {
  const [, yaml = ''] = /<<'EOF'\n([\s\S]*?)\n {2}EOF\n/.exec(notes) ?? [];
  return parseManifests(yaml.replaceAll(/^ {2}/gm, ''));
}

describe('the notes', () => {
  test.for(exampleNames)('after ci/%s.yaml show resources that are valid, of its class', async (name) => {
    const resources = resourcesIn(await notesOf(exampleRelease(name)));
    expect(resourceKinds(resources)).toEqual(['LLMProvider', 'LLMKey', 'LLMRoute', 'LLMKey']);
    const className = name === 'second-class' ? 'blue' : undefined;
    for (const { spec } of resources as readonly { readonly spec?: { readonly className?: string } }[]) {
      expect(spec?.className).toBe(className);
    }
  });

  test.for(exampleNames)('after ci/%s.yaml call the Service that is there', async (name) => {
    const notes = await notesOf(exampleRelease(name));
    const manifests = await helm.render(exampleRelease(name));
    const [, service, port] = /port-forward svc\/(\S+) 8080:(\d+) /.exec(notes) ?? [];
    const found = manifests.find(({ kind, metadata }) => kind === 'Service' && metadata.name === service);
    expect(found).toMatchObject({ spec: { ports: [{ name: 'http', port: Number(port) }] } });
    const authority = `${service}.sluice-system.svc${port === '80' ? '' : `:${port}`}`;
    expect(notes).toContain(`http://${authority}/v1 as its base URL`);
  });

  test('put the resources where the operator looks for them', async () => {
    expect(await notesOf(exampleRelease('namespaces'))).toContain('kubectl -n team-a apply');
    expect(await notesOf({})).toContain('kubectl -n sluice-system apply');
    expect(await notesOf({ values: { watch: { allNamespaces: true } } })).toContain('kubectl -n default apply');
  });

  test('warn of what is only for trying out', async () => {
    expect(await notesOf({})).toContain('FOR TRYING OUT');
    expect(await notesOf(exampleRelease('second-class'))).not.toContain('TRYING OUT');
    expect(await notesOf(exampleRelease('single'))).toContain('there is no Redis');
  });
});
