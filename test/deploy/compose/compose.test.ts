import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { runOptions } from '../../../deploy/standalone/options.ts';

const folder = new URL('../../../deploy/compose/', import.meta.url);

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
}

function yamlOf(name: string): unknown {
  return parse(readFileSync(new URL(name, folder), 'utf8'));
}

const { services } = yamlOf('compose.yaml') as { readonly services: Readonly<Record<string, Service>> };

/** What a variable of the file stands for where nobody sets it. */
function withDefaults(text: string): string {
  return text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');
}

test('everything that is mounted is there', () => {
  const mounts = Object.values(services).flatMap(({ volumes = [] }) =>
    volumes.map((volume) => withDefaults(volume).split(':')),
  );
  const files = mounts.map(([source = '']) => source).filter((source) => source.startsWith('.'));
  expect(files).toHaveLength(4);
  expect(files.filter((path) => !existsSync(new URL(path, folder)))).toEqual([]);
  const dashboards = mounts.find(([, target]) => target === '/dashboards')?.[0] ?? '';
  const home = services['grafana']?.environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'] ?? '';
  expect(existsSync(new URL(`${dashboards}/${home.replace('/dashboards/', '')}`, folder))).toBe(true);
});

test('the proxies are told what there is a word for', () => {
  const environment = services['sluice']?.environment ?? {};
  const known = new Set<string>([...Object.values(runOptions).map(({ variable }) => variable), 'SLUICE_ADMIN_TOKEN']);
  expect(Object.keys(environment).filter((name) => !known.has(name))).toEqual([]);
  expect(services['sluice']?.command?.map(withDefaults)).toEqual(['run', '/files/quickstart.yaml']);
});

test('nothing is reached from other machines', () => {
  const ports = Object.values(services).flatMap(({ ports: published = [] }) => published);
  expect(ports).toHaveLength(3);
  expect(ports.every((port) => port.startsWith('127.0.0.1:'))).toBe(true);
});

test('no image floats', () => {
  for (const { image } of Object.values(services)) expect(withDefaults(image)).toMatch(/:(dev|v?\d+\.\d+(\.\d+)?)$/);
});

test('Prometheus asks the port that the proxies listen on', () => {
  const { scrape_configs: scrapes } = yamlOf('prometheus.yaml') as {
    readonly scrape_configs: readonly [
      { readonly dns_sd_configs: readonly [{ readonly names: readonly string[]; readonly port: number }] },
    ];
  };
  const [{ names, port }] = scrapes[0].dns_sd_configs;
  expect(Object.keys(services)).toContain(names[0]);
  expect(services['sluice']?.environment?.['SLUICE_ADMIN']).toBe(`0.0.0.0:${port}`);
});
