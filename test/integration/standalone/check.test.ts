// `sluice check` as people and pipelines run it: what it prints, and the exit code.

import { chmodSync, symlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Folder, makeFolder } from '../../deploy/folder.ts';
import { provider, route } from '../../deploy/manifests.ts';
import { type ProgramOptions, runProgram } from './program.ts';

async function check(
  folder: Folder,
  args: readonly string[] = [folder.path],
  options: ProgramOptions = {},
): Promise<{ readonly code: number | string; readonly lines: readonly string[]; readonly err: string }> {
  const { code, out, err } = await runProgram(['check', ...args], options);
  return { code, lines: out.replaceAll(`${folder.path}/`, '').trimEnd().split('\n'), err };
}

test('files that are all accepted are exit code 0', async () => {
  using folder = makeFolder({
    'a.yaml': provider('p'),
    'b.json': '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"n"}}',
  });
  const { code, lines, err } = await check(folder);
  expect({ code, lines, err }).toEqual({ code: 0, lines: ['2 objects in 2 files: all accepted'], err: '' });
});

test('paths are printed as they were given', async () => {
  using folder = makeFolder({ 'sub/a.yaml': route('r', 'missing') });
  const { out } = await runProgram(['check', 'sub'], { cwd: folder.path });
  expect(out).toMatch(/^sub\/a\.yaml: LLMRoute default\/r /);
});

const bad: readonly (readonly [string, string, string])[] = [
  [
    'an unknown field',
    route('r', 'p', { extra: '\n  colour: red' }),
    'LLMRoute default/r spec.colour: is not a known field',
  ],
  [
    'an unknown field without a value',
    provider('q').replace('spec: {', 'spec: {colour: , '),
    'LLMProvider default/q spec.colour: is not a known field',
  ],
  [
    'a misspelt member of metadata',
    provider('q').replace('metadata: {', 'metadata: {lables: {a: b}, '),
    'LLMProvider default/q metadata.lables: is not a known field',
  ],
  [
    'a wrong type',
    route('r', 'p').replace('model: some-model', 'model: some-model, weight: "3"'),
    'LLMRoute default/r spec.rules[0].backends[0].weight: must be of type number',
  ],
  [
    'a value out of its bounds',
    route('r', 'p').replace('name: default,', 'name: default, failover: {maxAttempts: 17},'),
    'LLMRoute default/r spec.rules[0].failover.maxAttempts: must be at most 16',
  ],
  [
    'a reference to a provider that is not there',
    route('r', 'missing'),
    'LLMRoute default/r spec.rules[0].backends[0].providerRef: the namespace has no LLMProvider "missing" that is accepted',
  ],
  [
    'a reference to a Secret that is not there',
    provider('keyed').replace(', credentials: {type: None}', '') +
      'apiVersion: sluice.dev/v1alpha1\nkind: LLMKey\nmetadata: {name: k}\nspec: {type: Upstream, secretRef: {name: s, key: k}, upstream: {providerRef: {name: keyed}}}',
    'LLMKey default/k spec.secretRef.name: there is no Secret "s" in the namespace with the label sluice.dev/credential: "true"',
  ],
  [
    'a reference into another namespace that nobody granted',
    route('r', 'p', { namespace: 'other' }).replace('{name: p}', '{name: p, namespace: default}'),
    'LLMRoute other/r spec.rules[0].backends[0].providerRef: a ReferenceGrant in namespace "default" must allow LLMRoute objects of namespace "other" to refer to LLMProvider "p"',
  ],
  [
    'an expression that is none',
    route('r', 'p').replace('name: default,', "name: default, matches: [{cel: 'request.path ='}],"),
    'LLMRoute default/r spec.rules[0].matches[0].cel: ',
  ],
  [
    'something that this version cannot do',
    route('r', 'p', { extra: '\n  cache: {}' }),
    'LLMRoute default/r spec.cache: this version does not support caching yet',
  ],
  [
    'a name that stands twice',
    provider('p'),
    'LLMProvider default/p metadata.name: is already used by the LLMProvider in 1.yaml',
  ],
  ['no name', provider('x').replace('name: x, ', ''), 'LLMProvider ? metadata.name: must be given'],
  ['no kind', 'spec: {}', 'must be an object with apiVersion and kind'],
  [
    'a kind that we do not have',
    'apiVersion: sluice.dev/v1alpha1\nkind: LLMModel\nmetadata: {name: m}',
    'LLMModel default/m kind: must be one of LLMProvider, LLMRoute, LLMKey',
  ],
  [
    'a variable that is not set',
    'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: "${NO_SUCH_VARIABLE}"}',
    'Secret default/s stringData.k: the environment variable NO_SUCH_VARIABLE is not set',
  ],
];

test.each(bad)('%s is exit code 1, said with file, object and field', async (_what, text, line) => {
  using folder = makeFolder({ '1.yaml': provider('p') + route('good', 'p'), '2.yaml': text });
  const { code, lines } = await check(folder);
  expect(code).toBe(1);
  const [error] = lines.filter((printed) => !printed.includes(': warning: '));
  expect(error?.slice(0, `2.yaml: ${line}`.length)).toBe(`2.yaml: ${line}`);
  expect(lines.at(-1)).toMatch(/^\d objects? in 2 files: 1 error(, 1 warning)?$/);
});

test('text that is no YAML is exit code 1, said with line and column', async () => {
  using folder = makeFolder({ 'a.yaml': `${provider('p')}kind: LLMRoute\nspec: {rules: [}\n` });
  const { code, lines } = await check(folder);
  expect(code).toBe(1);
  expect(lines[0]).toMatch(/^a\.yaml:8:\d+: /);
});

test('a path that is not there, an empty folder, or no path at all are exit code 2', async () => {
  using folder = makeFolder({ 'a.yaml': provider('p'), 'empty/readme.md': '' });
  const absent = await check(folder, [folder.at('a.yaml'), folder.at('b.yaml')]);
  expect(absent.code).toBe(2);
  expect(absent.lines).toEqual(['b.yaml: no such file or folder', '1 object in 1 file: 1 error']);
  const empty = await check(folder, [folder.at('empty')]);
  expect(empty.code).toBe(2);
  expect(empty.lines[0]).toBe('empty: the folder holds no .yaml, .yml or .json file');
  const none = await check(folder, []);
  expect(none.code).toBe(2);
  expect(none.err).toContain("missing required argument 'path'");
});

test('a file that may not be read is exit code 2', async () => {
  using folder = makeFolder({ 'a.yaml': provider('p') });
  // Root may read everything, but nobody can follow a link that leads to itself.
  if (process.getuid?.() === 0) symlinkSync(folder.at('b.yaml'), folder.at('b.yaml'));
  else chmodSync(folder.write('b.yaml', provider('q')), 0);
  const { code, lines } = await check(folder);
  expect(code).toBe(2);
  expect(lines[0]).toMatch(/^b\.yaml: (may not be read: permission denied|is a link that leads in a circle)$/);
});

test.each([
  [['check', '--explain', 'nonsense'], /--explain must be 'METHOD \/path'/],
  [['check', '--clas', 'x', '.'], /unknown option '--clas'\n\(Did you mean --class\?\)/],
  [['chekc'], /unknown command 'chekc'\n\(Did you mean check\?\)/],
  [['check', '.', '--class'], /option '--class <name>' argument missing/],
  [[], /Usage: sluice/],
])('wrong usage (%j) is exit code 2 with a hint', async (args, hint) => {
  const { code, err } = await runProgram(args.includes('--explain') ? [...args, '.'] : args);
  expect(code).toBe(2);
  expect(err).toMatch(hint);
});

test('a DISABLED_TIME that is none is exit code 2, named', async () => {
  using folder = makeFolder({ 'a.yaml': provider('p') });
  const { code, err } = await check(folder, [folder.path], { environment: { DISABLED_TIME: 'ten' } });
  expect(code).toBe(2);
  expect(err).toBe(
    'sluice: the environment variable DISABLED_TIME must be a number of minutes from 0 to 43200, such as 10 or 0.5; 0 disables nothing\n',
  );
});

test('DISABLED_TIME decides where a route does not say', async () => {
  using folder = makeFolder({ 'a.yaml': provider('p') + route('r', 'p') });
  const options = { environment: { DISABLED_TIME: '0.5' } };
  const { lines } = await check(folder, [folder.path, '--explain', 'POST /r'], options);
  expect(lines).toContain('  disable     one failure takes a backend out for 30 s');
});

test('a request is explained', async () => {
  using folder = makeFolder({ 'a.yaml': provider('p', { url: 'http://10.0.0.1/v1' }) + route('r', 'p') });
  const { code, lines } = await check(folder, [folder.path, '--explain', 'POST /r/only model=x']);
  expect(code).toBe(0);
  expect(lines).toContain('  backend     only: POST http://10.0.0.1/v1/chat/completions');
});

test('help lists every option with its variable, and what has only a variable', async () => {
  const { code, out } = await runProgram(['--help']);
  expect(code).toBe(0);
  for (const name of [
    'SLUICE_LISTEN',
    'SLUICE_ADMIN',
    'REDIS_URL',
    'SLUICE_DRAIN_SECONDS',
    'SLUICE_CLASS',
    'SLUICE_REPLICAS',
    'SLUICE_ALLOW_ENDPOINT_CIDR',
    'SLUICE_STRICT',
    'SLUICE_ACCESS_LOG',
    'SLUICE_STAND_INS',
    'LOG_LEVEL',
    'DISABLED_TIME',
    'SLUICE_ADMIN_TOKEN',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    '--explain',
  ]) {
    expect(out).toContain(name);
  }
  expect((await runProgram(['run', '--help'])).out).toContain('SLUICE_ADMIN_TOKEN');
});

test('the version is that of the package', async () => {
  const { code, out } = await runProgram(['--version']);
  expect(code).toBe(0);
  expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
});
