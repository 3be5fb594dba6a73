// Tests that need a program of the machine ask for it here, and are reported by name when it cannot be had.

import { describe } from 'vitest';
import { installCommand, provideTool, type ToolName } from './tools.ts';

declare module 'vitest' {
  interface TaskMeta {
    /** What a skipped test lacks; the summary after the run lists it. */
    missing?: Missing;
  }
}

/** What a test lacks, and the command that would provide it. */
export interface Missing {
  readonly tool: string;
  readonly command: string;
}

/** A program that a test file asked for. */
export interface Required {
  /** Its absolute path; to be read inside `describe`, whose tests and hooks run only if the program is there. */
  readonly path: string;
  /** vitest's `describe`, skipped as a whole (hooks too) where the program is missing. */
  describe(name: string, body: () => void): void;
}

/**
 * Finds a program, or installs it where that is possible. Otherwise the tests in its `describe` are skipped on a
 * developer's machine, and the file fails in CI, where nothing may be skipped for want of a program.
 *
 *     const redis = await requires('redis-server');
 *     redis.describe('the Redis store', () => { beforeAll(() => start(redis.path)); … });
 */
export async function requires(tool: ToolName): Promise<Required> {
  const path = await provideTool(tool);
  if (path !== undefined) return { path, describe: (name, body) => void describe(name, body) };

  const missing: Missing = { tool, command: installCommand(tool) };
  const reason = `${tool} is missing on this machine; it comes with: ${missing.command}`;
  if (process.env['CI']) throw new Error(reason);
  return {
    get path(): string {
      throw new Error(reason);
    },
    describe: (name, body) => void describe(name, { skip: true, meta: { missing } }, body),
  };
}
