// Programs that some tests run for real: where they are, and how a machine that lacks one gets it. Knows nothing of
// vitest, so that benchmarks use it too.

import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

/** The Debian package that provides each program. The names are those of the program on the PATH. */
const packages = {
  'redis-server': 'redis-server',
  nginx: 'nginx',
  chromium: 'chromium',
  openssl: 'openssl',
} as const;

/** A program that tests may ask for. */
export type ToolName = keyof typeof packages;

/** The command that provides the program on a machine that lacks it. */
export function installCommand(tool: ToolName): string {
  return `apt-get install -y --no-install-recommends ${packages[tool]}`;
}

/** The absolute path of the program, or undefined if no directory of the PATH has it. */
export async function findTool(tool: ToolName): Promise<string | undefined> {
  // Debian keeps some servers in /usr/sbin, which is not on every PATH.
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  for (const directory of directories) {
    const path = join(directory, tool);
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

/** Finds the program; where it is missing and root has apt-get, installs it first. */
export async function provideTool(tool: ToolName): Promise<string | undefined> {
  const found = await findTool(tool);
  if (found !== undefined || process.getuid?.() !== 0 || !(await isExecutable('/usr/bin/apt-get'))) return found;
  await install(tool);
  return findTool(tool);
}

// One install at a time on the machine (test files run in parallel, and apt does not wait for a list update): the kernel
// drops the lock even when its holder is killed. policy-rc.d keeps the package from starting a service on its well-known
// port; a file that is already there is the machine's own and stays.
const installScript = `
  command -v "$1" >/dev/null && exit 0
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\\nexit 101\\n' > "$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
  fi
  apt-get update -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20 || true
  apt-get install -y -qq --no-install-recommends "$2"
`;

async function install(tool: ToolName): Promise<void> {
  const lock = '/tmp/sluice-apt.lock';
  try {
    await promisify(execFile)('flock', [lock, 'sh', '-c', installScript, 'install', tool, packages[tool]], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (cause) {
    // The caller sees that the program is still missing and says which command provides it; this is why it did not work.
    process.stderr.write(`could not install ${tool}: ${String(cause)}\n`);
  }
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
