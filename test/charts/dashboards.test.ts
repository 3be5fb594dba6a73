// The dashboards: every query is one that Prometheus understands, asks for metrics and labels that there are, and gets an
// answer out of what a real proxy and the operator's own code expose. (From running pods: test/e2e.)

import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe as group, expect, test } from 'vitest';
import { type InputSeries, labelNames, parseExposition, type Sample, toSeries } from './exposition.ts';
import { chartFolder, monitoringKinds } from './helm.ts';
import { ruleGroups, runPromtool } from './promtool.ts';
import { requiresChartPrograms } from './requires-charts.ts';
import { scrapeOperator, scrapeProxy } from './scrapes.ts';

const { helm, promtool, describe } = requiresChartPrograms();

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string; readonly datasource: unknown }[];
}

interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] };
}

const dashboards = globSync(join(chartFolder('sluice'), 'files/dashboards/*.json'))
  .toSorted()
  .map((path) => [basename(path), JSON.parse(readFileSync(path, 'utf8')) as Dashboard] as const);

function queriesOf({ panels }: Dashboard): readonly { readonly title: string; readonly expr: string }[] {
  return panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
}

/** As Grafana fills it in with everything chosen. */
function filledIn(expr: string): string {
  return expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$(namespace|route)\b/g, '.*');
}

describe('dashboards', () => {
  let samples: readonly Sample[];
  let series: readonly InputSeries[];

  beforeAll(async () => {
    const [proxy, operator] = [parseExposition(await scrapeProxy()), parseExposition(await scrapeOperator())];
    samples = [...proxy, ...operator];
    series = [...toSeries(proxy, 'sluice-proxy-1'), ...toSeries(operator, 'sluice-operator-1')];
  });

  test('are three, by names that are known', () => {
    expect(dashboards.map(([name, { uid, title }]) => [name, uid, title])).toEqual([
      ['backends.json', 'sluice-backends', 'Sluice / Backends and keys'],
      ['operator.json', 'sluice-operator', 'Sluice / Operator'],
      ['proxies.json', 'sluice-proxies', 'Sluice / Proxies'],
    ]);
  });

  group.each(dashboards)('in %s', (_, dashboard) => {
    test('panels have ids of their own, lie beside each other, and ask the chosen Prometheus', () => {
      const { panels } = dashboard;
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      for (const [index, one] of panels.entries()) {
        expect(one.gridPos.x + one.gridPos.w).toBeLessThanOrEqual(24);
        for (const other of panels.slice(index + 1)) {
          expect(overlap(one.gridPos, other.gridPos), `${one.title}, ${other.title}`).toBe(false);
        }
        for (const { datasource } of one.targets ?? []) {
          expect(datasource).toEqual({ type: 'prometheus', uid: '${datasource}' });
        }
      }
    });

    test('queries use variables that the dashboard has', () => {
      const known = dashboard.templating.list.map(({ name }) => name);
      for (const { expr } of queriesOf(dashboard)) {
        const used = [...expr.matchAll(/\$(?!__)(\w+)/g)].map(([, name]) => name);
        expect(used.filter((name) => !known.includes(name ?? ''))).toEqual([]);
      }
    });

    test('queries ask for metrics and labels that there are', () => {
      const variables = dashboard.templating.list.flatMap(({ query }) => {
        const text = Object(query).query;
        return typeof text === 'string' ? [{ title: 'a variable', expr: text }] : [];
      });
      for (const { title, expr } of [...queriesOf(dashboard), ...variables]) {
        expect(unknownIn(expr, samples), title).toEqual([]);
      }
    });

    test('every query gets an answer', async () => {
      const tests = queriesOf(dashboard).map(({ expr }) => ({
        expr: `count(${filledIn(expr)}) > bool 0`,
        eval_time: '50m',
        exp_samples: [{ labels: '{}', value: 1 }],
      }));
      expect(tests.length).toBeGreaterThan(15);
      const file = { tests: [{ interval: '1m', input_series: series, promql_expr_test: tests }] };
      expect(await runPromtool(promtool, ['test', 'rules', 'tests.json'], { 'tests.json': file })).toBe('');
    });
  });

  test('and alerts ask for metrics and labels that there are', async () => {
    const { groups } = ruleGroups(await helm.render({ apiVersions: monitoringKinds }));
    for (const { alert, expr } of groups.flatMap(({ rules }) => rules)) {
      expect(unknownIn(expr, samples), alert).toEqual([]);
    }
  });

  test('come as ConfigMaps that Grafana’s sidecar finds, and are what the files are', async () => {
    const maps = (await helm.render()).filter(({ metadata }) => metadata.name.startsWith('grafana-dashboard-'));
    expect(maps.map(({ kind, metadata }) => [kind, metadata.labels?.['grafana_dashboard']])).toEqual(
      dashboards.map(() => ['ConfigMap', '1']),
    );
    const texts = maps.flatMap(({ data }) => Object.values(data as Readonly<Record<string, string>>));
    expect(texts.map((text) => JSON.parse(text))).toEqual(dashboards.map(([, dashboard]) => dashboard));
  });

  test('are left out where that is asked for', async () => {
    const values = { monitoring: { dashboards: { enabled: false } } };
    expect((await helm.render({ values })).filter(({ kind }) => kind === 'ConfigMap')).toEqual([]);
  });
});

const ours = /\b(?:sluice|nodejs|process|workqueue|controller_runtime|rest_client|leader_election)_\w+/;

/** Metrics that are not there, and labels that the metrics have not. */
function unknownIn(expr: string, samples: readonly Sample[]): readonly string[] {
  const known = labelNames(samples);
  // What has children only when it happens has none of some labels yet: all of a metric's label names count.
  const selectors = [...expr.matchAll(new RegExp(`(${ours.source})(?:\\{([^}]*)\\})?`, 'g'))];
  if (selectors.length === 0) return [`${expr} asks for nothing of ours`];
  return selectors.flatMap(([, name = '', labels = '']) => {
    const labelsOf = known.get(name);
    if (labelsOf === undefined) return [`there is no ${name}`];
    const asked = [...labels.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label);
    return asked.filter((label) => !labelsOf.has(label)).map((label) => `${name} has no ${label}`);
  });
}

function overlap(one: Panel['gridPos'], other: Panel['gridPos']): boolean {
  const apart = (at: 'x' | 'y', size: 'w' | 'h'): boolean =>
    one[at] + one[size] <= other[at] || other[at] + other[size] <= one[at];
  return !apart('x', 'w') && !apart('y', 'h');
}
