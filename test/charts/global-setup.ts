// What vitest does once for all tests of the charts: it prepares the programs, and tells where they are.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type ChartPrograms, prepareChartPrograms } from './programs.ts';

/** What test files are told: where the programs are and where helm may write, or why there are none. */
export type OfferedPrograms = (ChartPrograms & { readonly folder: string }) | { readonly whyNot: string };

declare module 'vitest' {
  interface ProvidedContext {
    chartPrograms: OfferedPrograms;
  }
}

let folder: string | undefined;

/** Called by vitest before the first test of any project, if tests of this one are among those to run. */
export async function setup(project: TestProject): Promise<void> {
  project.provide('chartPrograms', await offer());
}

/** Called by vitest at the end. */
export function teardown(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
}

async function offer(): Promise<OfferedPrograms> {
  const say = (line: string): void => void process.stderr.write(`charts: ${line}\n`);
  try {
    const programs = await prepareChartPrograms(say);
    folder = mkdtempSync(join(tmpdir(), 'sluice-helm-'));
    return { ...programs, folder };
  } catch (error) {
    say(String(error));
    return { whyNot: String(error) };
  }
}
