// Tests that need helm or promtool ask for them here, and are reported by name when they cannot be had.

import { describe, inject } from 'vitest';
import type { Missing } from '../support/requires.ts';
import { createHelm, type Helm } from './helm.ts';

/** What a test file may do where the programs can be had. */
export interface RequiredChartPrograms {
  /** To be read inside `describe`, whose tests and hooks run only if the programs are there. */
  readonly helm: Helm;
  /** Its path. */
  readonly promtool: string;
  /** vitest's `describe`, skipped as a whole (hooks too) where the programs are missing. */
  readonly describe: (name: string, body: () => void) => void;
}

/** The programs, where they can be had. */
export function requiresChartPrograms(): RequiredChartPrograms {
  const offered = inject('chartPrograms');
  if (!('whyNot' in offered)) {
    return {
      helm: createHelm(offered.helm, offered.folder),
      promtool: offered.promtool,
      describe: (name, body) => void describe(name, body),
    };
  }
  if (process.env['CI']) throw new Error(offered.whyNot);
  const missing: Missing = { tool: 'helm or promtool', command: 'Go 1.26 on the PATH, which builds both' };
  return {
    get helm(): Helm {
      throw new Error(offered.whyNot);
    },
    get promtool(): string {
      throw new Error(offered.whyNot);
    },
    describe: (name, body) => void describe(name, { skip: true, meta: { missing } }, body),
  };
}
