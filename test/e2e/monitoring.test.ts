// A real Prometheus scrapes the pods: its rules can be evaluated, and every query of the dashboards gets an answer.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chartFolder, monitoringKinds } from '../charts/helm.ts';
import { type Application, startApplication } from './application.ts';
import { requiresCluster } from './cluster.ts';
import { type Prometheus, startPrometheus } from './prometheus.ts';
import { install, type Release, releaseArgs, until } from './release.ts';

const { cluster, describe } = await requiresCluster();

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[];
}

/** Every query, as Grafana fills it in with everything chosen. */
const queries = globSync(join(chartFolder('sluice'), 'files/dashboards/*.json')).flatMap((path) => {
  const { panels } = JSON.parse(readFileSync(path, 'utf8')) as Dashboard;
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      title: `${path.split('/').pop()}: ${title}`,
      expr: expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$(namespace|route)\b/g, '.*'),
    })),
  );
});

/** The pod of Prometheus is beside the release, not in a namespace `monitoring`. */
const values = { networkPolicy: { scrapers: [{ podSelector: {} }] } };

describe('a Prometheus', () => {
  let release: Release;
  let application: Application;
  let prometheus: Prometheus;

  beforeAll(async () => {
    release = await install(cluster, { values });
    application = await startApplication(release);
    const args = releaseArgs(cluster, 'sluice', release.namespace, { values });
    const kinds = monitoringKinds.map((kind) => `--api-versions=${kind}`);
    const rendered = await cluster.helm([
      'template',
      ...args.filter((arg) => !/^--(wait|timeout)/.test(arg)),
      ...kinds,
    ]);
    prometheus = await startPrometheus(release, await cluster.prometheusImage(), rendered);
    // Everything that a panel shows is to have happened: answers, streams, an error of a client, a failover.
    await until('all pods are scraped', async () => (await prometheus.count('up{namespace!=""} == 1')) === 4);
    for (const stream of [false, true]) await application.ask({ stream });
    await application.ask({ model: 'nobody-has-it' });
    await application.upstream('one', { failWith: 500 });
    await application.ask();
    await application.during({ workers: 2, pauseMs: 100 }, () => delay(3000));
  });
  afterAll(() => release?.remove());

  test('evaluates every rule', async () => {
    await until('the rules are evaluated', async () =>
      (await prometheus.rules()).every(({ health }) => health !== 'unknown'),
    );
    const rules = await prometheus.rules();
    expect(rules.length).toBeGreaterThan(10);
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
  });

  test('answers every query of the dashboards with data', async () => {
    expect(queries.length).toBeGreaterThan(50);
    const empty: string[] = [];
    for (const { title, expr } of queries) {
      if ((await prometheus.count(expr)) === 0) empty.push(`${title}: ${expr}`);
    }
    expect(empty).toEqual([]);
  });
});
