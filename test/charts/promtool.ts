// Runs promtool on rules and on made-up series. https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Manifest } from './helm.ts';

/** An alert of a PrometheusRule. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Rules as a file of Prometheus has them. */
export interface RuleGroups {
  readonly groups: readonly { readonly name: string; readonly rules: readonly AlertRule[] }[];
}

/** The groups of the one PrometheusRule of a release. */
export function ruleGroups(manifests: readonly Manifest[]): RuleGroups {
  const rule = manifests.find(({ kind }) => kind === 'PrometheusRule');
  if (rule === undefined) throw new Error('there is no PrometheusRule');
  return rule['spec'] as RuleGroups;
}

/** Runs promtool with files in its working directory (JSON, which is YAML). Resolves to what is wrong, '' if nothing is. */
export async function runPromtool(
  path: string,
  args: readonly string[],
  files: Readonly<Record<string, unknown>>,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-promtool-'));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), JSON.stringify(content));
    return await new Promise((resolve, reject) => {
      execFile(path, args, { cwd: folder, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
        if (error === null) return resolve('');
        if (typeof error.code !== 'number') return reject(error);
        resolve(`${stdout}\n${stderr}`.trim() || `promtool ends with ${error.code}`);
      });
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
