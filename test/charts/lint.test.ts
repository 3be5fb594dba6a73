// Both charts as helm sees them, and what is said of them for catalogues.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { kindDefinitions } from '../../crds/definition.ts';
import { resourceKinds } from './resources.ts';
import { type ChartName, chartFolder, monitoringKinds } from './helm.ts';
import { exampleNames } from './example-values.ts';
import { requiresChartPrograms } from './requires-charts.ts';

const { helm, describe } = requiresChartPrograms();
const chartNames: readonly ChartName[] = ['sluice', 'sluice-crds'];

function readChart(chart: ChartName, file: string): ReturnType<typeof parse> {
  return parse(readFileSync(join(chartFolder(chart), file), 'utf8'));
}

describe('helm', () => {
  test.for(chartNames)('finds nothing wrong with %s, by its strictest measure', async (chart) => {
    const { code, stdout, stderr } = await helm.run(['lint', '--strict', chartFolder(chart)]);
    expect(stdout.match(/\[(WARNING|ERROR)\].*/g), stderr).toBeNull();
    expect(code).toBe(0);
  });

  test.for([...exampleNames.map((name) => `charts/sluice/ci/${name}.yaml`), 'deploy/kind/values.yaml'])(
    'finds nothing wrong with the values of %s',
    async (path) => {
      const values = fileURLToPath(new URL(`../../${path}`, import.meta.url));
      const { stdout } = await helm.run(['lint', '--strict', chartFolder('sluice'), '--values', values]);
      expect(stdout).toContain('1 chart(s) linted, 0 chart(s) failed');
    },
  );

  test('packs what people read, and no examples', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-package-'));
    try {
      expect(await helm.run(['package', chartFolder('sluice'), '--destination', folder])).toMatchObject({ code: 0 });
      const { version } = readChart('sluice', 'Chart.yaml');
      const files = execFileSync('tar', ['-tzf', join(folder, `sluice-${version}.tgz`)]).toString();
      for (const file of ['README.md', 'RUNBOOKS.md', 'values.schema.json', 'files/dashboards/proxies.json']) {
        expect(files).toContain(`sluice/${file}\n`);
      }
      expect(files).not.toContain('sluice/ci/');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('is refused by clusters that are too old', async () => {
    const { code, stderr } = await helm.run(['template', chartFolder('sluice'), '--kube-version', '1.31.9']);
    expect(code).toBe(1);
    expect(stderr).toContain('1.32.0');
    for (const version of ['1.35.4', '1.37.2-gke.1']) {
      const args = ['template', chartFolder('sluice'), '--kube-version', version];
      expect(await helm.run(args)).toMatchObject({ code: 0 });
    }
  });
});

describe('Chart.yaml', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const { annotations, ...chart } = readChart('sluice', 'Chart.yaml');

  test.for(chartNames)('of %s has the version of the program', (name) => {
    expect(readChart(name, 'Chart.yaml')).toMatchObject({ version, appVersion: version });
  });

  test('tells catalogues the images that the values have', () => {
    const { image, redis } = readChart('sluice', 'values.yaml');
    const images: { name: string; image: string }[] = parse(annotations['artifacthub.io/images']);
    expect(images.map((entry) => entry.image)).toEqual([
      `${image.repository}:${chart.appVersion}`,
      `${redis.bundled.image.repository}:${redis.bundled.image.tag}`,
    ]);
  });

  test('tells catalogues every definition', () => {
    const crds: { kind: string; name: string; version: string }[] = parse(annotations['artifacthub.io/crds']);
    expect(crds.map(({ kind, name }) => `${kind} ${name}`).toSorted()).toEqual(
      kindDefinitions.map(({ kind, plural }) => `${kind} ${plural}.sluice.dev`).toSorted(),
    );
  });

  test('shows examples that are valid', () => {
    const examples: unknown[] = parse(annotations['artifacthub.io/crdsExamples']);
    expect(resourceKinds(examples)).toEqual(['LLMProvider', 'LLMRoute', 'LLMKey']);
  });

  test('says what has changed in words that Artifact Hub knows', () => {
    for (const name of chartNames) {
      const changes: { kind: string; description: string }[] = parse(
        readChart(name, 'Chart.yaml').annotations['artifacthub.io/changes'],
      );
      expect(changes.length).toBeGreaterThan(0);
      for (const { kind } of changes) expect(kind).toMatch(/^(added|changed|deprecated|removed|fixed|security)$/);
    }
  });

  test('is served by no API of Kubernetes that is not asked for', async () => {
    const groups = new Set((await helm.render({ apiVersions: monitoringKinds })).map(({ apiVersion }) => apiVersion));
    expect([...groups].toSorted()).toEqual([
      'apiextensions.k8s.io/v1',
      'apps/v1',
      'monitoring.coreos.com/v1',
      'networking.k8s.io/v1',
      'policy/v1',
      'rbac.authorization.k8s.io/v1',
      'v1',
    ]);
  });
});
