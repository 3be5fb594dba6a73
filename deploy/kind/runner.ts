// Runs commands one after the other, saying each before it runs.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Command } from './commands.ts';

/** Runs them in turn, with their output; throws at the first that fails or is not there. `say` gets each before it runs. */
export async function runCommands(commands: readonly Command[], say: (text: string) => void): Promise<void> {
  for (const { says, program, args } of commands) {
    say(`\n# ${says}\n$ ${program} ${args.join(' ')}`);
    const child = spawn(program, args, { stdio: 'inherit' });
    const [code] = await once(child, 'exit').catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? new Error(missing(program)) : error;
    });
    if (code !== 0) throw new Error(`${program} failed: ${String(code)}`);
  }
}

/** Names of the clusters that there are. */
export async function clusterNames(): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    execFile('kind', ['get', 'clusters'], (error, stdout, stderr) => {
      if (error === null) return resolve(stdout.split('\n').filter((line) => line !== ''));
      reject(new Error(error.code === 'ENOENT' ? missing('kind') : stderr || error.message));
    });
  });
}

const sources: Readonly<Record<Command['program'], string>> = {
  docker: 'https://docs.docker.com/engine/install',
  kind: 'https://kind.sigs.k8s.io/docs/user/quick-start#installation',
  helm: 'https://helm.sh/docs/intro/install',
  kubectl: 'https://kubernetes.io/docs/tasks/tools',
};

function missing(program: Command['program']): string {
  return `there is no ${program} on the PATH: ${sources[program]}`;
}
