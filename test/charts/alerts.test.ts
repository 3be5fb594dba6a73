// The alerts, as a release has them, by promtool: when each fires, what it says, when it does not, and where it is explained.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { alertCases, type AlertCase, type CaseSeries } from './alert-cases.ts';
import { chartFolder, monitoringKinds } from './helm.ts';
import { type AlertRule, type RuleGroups, ruleGroups, runPromtool } from './promtool.ts';
import { requiresChartPrograms } from './requires-charts.ts';

const { helm, promtool, describe } = requiresChartPrograms();

describe('an alert', () => {
  let groups: RuleGroups;
  let rules: readonly AlertRule[];

  beforeAll(async () => {
    groups = ruleGroups(await helm.render({ apiVersions: monitoringKinds }));
    rules = groups.groups.flatMap((group) => group.rules);
  });

  async function check(tests: readonly object[]): Promise<string> {
    const files = { 'rules.json': groups, 'tests.json': { rule_files: ['rules.json'], tests } };
    return runPromtool(promtool, ['test', 'rules', 'tests.json'], files);
  }

  test('is one that Prometheus understands', async () => {
    const args = ['check', 'rules', '--lint=all', '--lint-fatal', 'rules.json'];
    expect(await runPromtool(promtool, args, { 'rules.json': groups })).toBe('');
  });

  test('has a case here', () => {
    expect(rules.map(({ alert }) => alert).toSorted()).toEqual(alertCases.map(({ alert }) => alert).toSorted());
  });

  test('has how urgent it is, and a page that says what to do', () => {
    const runbooks = readFileSync(join(chartFolder('sluice'), 'RUNBOOKS.md'), 'utf8');
    const headings = [...runbooks.matchAll(/^## (\S+)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(rules.map(({ alert }) => alert));
    for (const { alert, labels, annotations } of rules) {
      expect(labels['severity'], alert).toMatch(/^(critical|warning|info)$/);
      expect(annotations['runbook_url']).toBe(
        `https://github.com/sluice-dev/sluice/blob/main/charts/sluice/RUNBOOKS.md#${alert.toLowerCase()}`,
      );
    }
  });

  test.for(alertCases)('$alert fires when there is something to do, says what, and is quiet otherwise', async (one) => {
    const rule = rules.find(({ alert }) => alert === one.alert);
    const { labels = {}, summary, description } = one;
    const fired = {
      exp_labels: { namespace: 'sluice-system', ...rule?.labels, ...labels },
      exp_annotations: { summary, description, runbook_url: rule?.annotations['runbook_url'] },
    };
    expect(one.quiet.length).toBeGreaterThan(0);
    const quiet = one.quiet.map((series) => testOf(one, series, []));
    expect(await check([testOf(one, one.fires, [fired]), ...quiet])).toBe('');
  });

  test('is left out, labelled and explained elsewhere where that is asked for', async () => {
    const monitoring = {
      disabledAlerts: ['SluiceProxyBusy'],
      alertLabels: { team: 'platform' },
      runbookURL: 'https://example.com/books',
    };
    const own = ruleGroups(await helm.render({ values: { monitoring }, apiVersions: monitoringKinds }));
    const others = own.groups.flatMap((group) => group.rules);
    expect(others.map(({ alert }) => alert)).toEqual(
      rules.map(({ alert }) => alert).filter((alert) => alert !== 'SluiceProxyBusy'),
    );
    for (const { alert, labels, annotations } of others) {
      expect(labels).toMatchObject({ team: 'platform', severity: expect.any(String) });
      expect(annotations['runbook_url']).toBe(`https://example.com/books#${alert.toLowerCase()}`);
    }
  });
});

function testOf({ alert, at, pod }: AlertCase, series: CaseSeries, expected: readonly object[]): object {
  return {
    interval: '1m',
    input_series: Object.entries(series).map(([selector, values]) => ({ series: inPod(selector, pod), values })),
    alert_rule_test: [{ eval_time: at, alertname: alert, exp_alerts: expected }],
  };
}

/** The series with the labels that Prometheus gives to what it scrapes from a pod. */
function inPod(selector: string, pod: AlertCase['pod']): string {
  const [, name = '', labels = ''] = /^([^{]+)(?:\{(.*)\})?$/.exec(selector) ?? [];
  const own = [...(labels.includes('pod=') ? [] : [`pod="sluice-${pod}-1"`]), ...(labels === '' ? [] : [labels])];
  return `${name}{namespace="sluice-system",${own.join(',')}}`;
}
