// An operator as its container runs it: a process of its own, which can be stopped and killed like one.

import type { Installation } from '../../support/installation.ts';
import { type Program, startProgram } from '../standalone/program.ts';

/** An operator that runs. */
export interface OperatorProcess extends AsyncDisposable {
  readonly program: Program;
  /** Resolves when it leads; it has 15 s from when this is called. */
  leads(): Promise<void>;
  /** Resolves when it has read everything. */
  isWarm(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  /** How often its log says this. */
  said(message: string): number;
}

/** Starts `sluice operator` for an installation; `args` come last. */
export function startOperatorProcess(
  { className, namespace, operatorKubeconfig }: Installation,
  {
    kubeconfig = operatorKubeconfig,
    args = [],
  }: { readonly kubeconfig?: string; readonly args?: readonly string[] } = {},
): OperatorProcess {
  const place = ['--class', className, '--install-namespace', namespace, '--admin', '127.0.0.1:0'];
  const program = startProgram(['operator', '--kubeconfig', kubeconfig, ...place, '--log-level', 'debug', ...args]);
  return {
    program,
    leads: async () => void (await program.says(/"msg":"became the leader"/)),
    isWarm: async () => void (await program.says(/"msg":"everything has been read"/)),
    signal: (signal) => void program.process.kill(signal),
    ended: program.ended,
    said: (message) => program.out().split(`"msg":"${message}"`).length - 1,
    async [Symbol.asyncDispose]() {
      // One that is stopped hears nothing else.
      program.process.kill('SIGCONT');
      await program[Symbol.asyncDispose]();
    },
  };
}
