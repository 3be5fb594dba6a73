// Builds one program of the control plane with Go, once per machine: into a temporary name, then renamed.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { packageOf, type PinnedModule, type ProgramName } from './modules.ts';
import { findOnPath } from './path.ts';

/** How often the one who waits is told that the build goes on. */
const reminderMs = 15_000;
const outputBytesMax = 64 * 1024;

/** Told about what happens, one line at a time. */
export type Progress = (line: string) => void;

// One builder at a time on the machine: the kernel drops the lock even when its holder is killed. Whoever waited finds
// the program there. Where flock is missing two builders do the same work, and the rename keeps the result whole.
const script = `
  test -x "$1" && exit 0
  trap 'rm -f "$1.$$"' EXIT
  go build -trimpath -ldflags "$2" -o "$1.$$" "$3" && mv "$1.$$" "$1"
`;

/** Whether there is a Go to build with. */
export function hasGo(): boolean {
  return findOnPath('go') !== undefined;
}

/** Builds a program at `path`; rejects with what Go said, and a word on what to do about it. */
export async function buildProgram(
  program: ProgramName,
  pinned: PinnedModule,
  path: string,
  progress: Progress,
): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const flock = findOnPath('flock');
  const shell = ['sh', '-c', script, 'build', path, linkerFlags(pinned), packageOf(program)];
  const [command = '', ...args] = flock === undefined ? shell : [flock, `${dirname(path)}.lock`, ...shell];
  const startedMs = performance.now();
  const seconds = (): string => `${Math.round((performance.now() - startedMs) / 1000)} s`;
  const reminder = setInterval(() => progress(`  still building ${program} after ${seconds()}`), reminderMs);
  try {
    const child = spawn(command, args, { cwd: pinned.folder, env: environment(), stdio: ['ignore', 'ignore', 'pipe'] });
    let output = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-outputBytesMax);
    });
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(explain(program, output));
    progress(`  built ${program} in ${seconds()}`);
  } finally {
    clearInterval(reminder);
  }
}

/** Settings of the machine must not change what is built; `-mod=readonly` also outdoes a GOFLAGS in `go env`. */
function environment(): NodeJS.ProcessEnv {
  const architectures: Readonly<Record<string, string>> = { x64: 'amd64' };
  return {
    ...process.env,
    CGO_ENABLED: '0',
    GOTOOLCHAIN: 'local',
    GOWORK: 'off',
    GOFLAGS: '-mod=readonly -buildvcs=false',
    GOOS: process.platform,
    GOARCH: architectures[process.arch] ?? process.arch,
  };
}

/** Without the stamps the server says v0.0.0, and whoever asks which version it is gets it wrong. */
function linkerFlags({ family, version }: PinnedModule): string {
  if (family === 'helm') return `-s -w -X helm.sh/helm/v4/internal/version.version=v${version}`;
  if (family !== 'kubernetes') return '-s -w';
  const [major = '', minor = ''] = version.split('.');
  const facts = {
    gitVersion: `v${version}`,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
    gitCommit: `v${version}`,
    buildDate: '1970-01-01T00:00:00Z',
  };
  const stamps = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((place) =>
    Object.entries(facts).map(([name, value]) => `-X ${place}.${name}=${value}`),
  );
  return ['-s -w', ...stamps].join(' ');
}

function explain(program: ProgramName, output: string): string {
  const said = output
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('go: downloading'))
    .slice(-12)
    .join('\n  ');
  const hint = /requires go >=|toolchain/.test(output)
    ? `The Go on the PATH is too old (${goVersion()}).`
    : /dial tcp|no such host|i\/o timeout|connection refused|Forbidden|module lookup disabled|TLS/.test(output)
      ? 'Go needs its module proxy (see `go env GOPROXY`) the first time.'
      : 'Go said:';
  return `could not build ${program}. ${hint}\n  ${said}`;
}

function goVersion(): string {
  return execFileSync('go', ['env', 'GOVERSION'], { env: environment() }).toString().trim();
}
