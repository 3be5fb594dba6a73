// Tests that need a real API server ask for it here, and are reported by name when it cannot be had.

import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, inject } from 'vitest';
import { connectControlPlane, type ControlPlaneClient } from '../cluster/client.ts';
import type { SharedAnswer } from '../cluster/global-setup.ts';
import type { Missing } from './requires.ts';

/** What a test file may do where a control plane can be had. */
export interface RequiredControlPlane {
  /** vitest's `describe`, skipped as a whole (hooks too) where the programs are missing. */
  describe(name: string, body: () => void): void;
}

/** With the control plane that all test files share. */
export interface SharedControlPlane extends RequiredControlPlane {
  /**
   * It has the three definitions, and the controllers of namespaces, garbage and service accounts; every test makes
   * namespaces of its own. To be read inside `describe`, whose tests and hooks run only if there is one.
   */
  readonly shared: ControlPlaneClient;
}

/**
 * The control plane that test files share; the first that asks waits some seconds for it. Tests that stop, freeze or
 * break one start their own instead: `requiresControlPlanePrograms`.
 *
 *     const plane = await requiresControlPlane();
 *     plane.describe('the operator', () => { beforeAll(() => plane.shared.apply(…)); … });
 */
export async function requiresControlPlane(): Promise<SharedControlPlane> {
  const offered = inject('controlPlane');
  if ('whyNot' in offered) {
    return {
      ...withoutPrograms(offered.whyNot),
      get shared(): ControlPlaneClient {
        throw new Error(offered.whyNot);
      },
    };
  }
  const answer = JSON.parse(await text(connect(offered.socket))) as SharedAnswer;
  if ('error' in answer) throw new Error(`the shared control plane did not start: ${answer.error}`);
  return { shared: connectControlPlane(answer.facts), describe: (name, body) => void describe(name, body) };
}

/** For tests that start control planes of their own, with `startControlPlane` of test/cluster. */
export function requiresControlPlanePrograms(): RequiredControlPlane {
  const offered = inject('controlPlane');
  if ('whyNot' in offered) return withoutPrograms(offered.whyNot);
  return { describe: (name, body) => void describe(name, body) };
}

function withoutPrograms(whyNot: string): RequiredControlPlane {
  if (process.env['CI']) throw new Error(whyNot);
  const missing: Missing = { tool: 'a Kubernetes control plane', command: 'npm run cluster:prepare' };
  return { describe: (name, body) => void describe(name, { skip: true, meta: { missing } }, body) };
}
