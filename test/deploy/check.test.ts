import { expect, test } from 'vitest';
import { check } from '../../deploy/standalone/check.ts';
import { parseExplainedRequest } from '../../deploy/standalone/explain/request.ts';
import { type Folder, makeFolder } from './folder.ts';
import { provider, route } from './manifests.ts';

async function runCheck(
  folder: Folder,
  { className = 'default', requests = [] as readonly string[], environment = {} } = {},
): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
  const lines: string[] = [];
  const print = (line: string): void => void lines.push(line.replaceAll(`${folder.path}/`, ''));
  const settings = {
    paths: [folder.path],
    className,
    disableSecondsDefault: 600,
    requests: requests.map(parseExplainedRequest),
  };
  const now = Date.UTC(2026, 0);
  const code = await check(settings, { environment, terminal: { print, warn: print }, now });
  return { code, lines };
}

test('files without a problem are all accepted', async () => {
  using folder = makeFolder({ 'a.yaml': provider('p'), 'b.yaml': route('r', 'p') });
  expect(await runCheck(folder)).toEqual({ code: 0, lines: ['2 objects in 2 files: all accepted'] });
});

test('problems come in the order of files and objects, each with file, object and field', async () => {
  using folder = makeFolder({
    '1.yaml': route('second', 'missing') + route('first', 'p', { extra: '\n  pathh: 1' }),
    '2.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n---\n' + provider('p'),
    '3.yaml': 'kind: [',
  });
  const { code, lines } = await runCheck(folder);
  expect(code).toBe(1);
  expect(lines).toEqual([
    '1.yaml: LLMRoute default/second spec.rules[0].backends[0].providerRef: the namespace has no LLMProvider "missing" that is accepted',
    '1.yaml: LLMRoute default/first spec.pathh: is not a known field',
    '2.yaml: Deployment default/web: warning: is ignored: Sluice has no use for Deployment of apps/v1',
    expect.stringMatching(/^3\.yaml:1:8: /),
    '3 objects in 3 files: 3 errors, 1 warning',
  ]);
});

test('warnings alone are no reason to fail', async () => {
  using folder = makeFolder({ 'a.yaml': provider('p').replace('credentials: {type: None}', '') + route('r', 'p') });
  const { code, lines } = await runCheck(folder);
  expect(code).toBe(0);
  expect(lines).toEqual([
    'a.yaml: LLMProvider default/p spec.credentials: warning: no LLMKey of type Upstream that names this provider is usable',
    '2 objects in 1 file: all accepted, 1 warning',
  ]);
});

test('what cannot be read is exit code 2, and the rest is still checked', async () => {
  using folder = makeFolder({ 'a.yaml': route('r', 'missing') });
  folder.write('b.yaml', Buffer.from([0xff, 0xfe, 0x00]));
  folder.write('c.yaml', Buffer.alloc(4 * 1024 * 1024 + 1, '#'));
  const { code, lines } = await runCheck(folder);
  expect(code).toBe(2);
  expect(lines).toEqual([
    expect.stringMatching(/^a\.yaml: LLMRoute default\/r /),
    'b.yaml: is not UTF-8 text',
    'c.yaml: is too large: at most 4 MiB are read',
    '1 object in 3 files: 3 errors',
  ]);
});

test('files without any object are exit code 2', async () => {
  using folder = makeFolder({ 'a.yaml': '# nothing yet\n' });
  const { code, lines } = await runCheck(folder);
  expect(code).toBe(2);
  expect(lines[0]).toBe(`${folder.path}: holds no object`);
});

test('objects of another class are left alone, with a warning', async () => {
  using folder = makeFolder({
    'a.yaml': provider('p') + route('r', 'p') + route('s', 'gone', { extra: '\n  className: other' }),
  });
  const { code, lines } = await runCheck(folder);
  expect(code).toBe(0);
  expect(lines[0]).toBe(
    'a.yaml: LLMRoute default/s spec.className: warning: the object is left alone: it belongs to the class "other", not to "default"',
  );
  expect((await runCheck(folder, { className: 'other' })).code).toBe(1);
});

test('two routes that claim the same path are found across files', async () => {
  using folder = makeFolder({
    'a.yaml': provider('p') + route('r', 'p'),
    'b.yaml': route('s', 'p').replace('path: /s', 'path: /r'),
  });
  const { code, lines } = await runCheck(folder);
  expect(code).toBe(1);
  expect(lines[0]).toMatch(/^b\.yaml: LLMRoute default\/s spec\.path: /);
});

test('the values of Secrets appear nowhere', async () => {
  using folder = makeFolder({
    'a.yaml': `
apiVersion: v1
kind: Secret
metadata: {name: keys, labels: {sluice.dev/credential: "true"}}
data: {one: CANARY-base64}
stringData: {two: "CANARY-plain \${NOT_SET}", three: "\${CANARY-}", four: "\${SET}"}
`,
  });
  const { lines } = await runCheck(folder, { environment: { SET: 'CANARY-set' } });
  expect(lines).toHaveLength(4);
  expect(lines.join('\n')).not.toContain('CANARY');
});

test('requests are explained between the problems and the summary', async () => {
  using folder = makeFolder({ 'a.yaml': provider('p') + route('r', 'p') });
  const { code, lines } = await runCheck(folder, { requests: ['POST /r', 'POST /nowhere'] });
  expect(code).toBe(0);
  expect(lines[1]).toBe('POST /r');
  expect(lines).toContain('POST /nowhere');
  expect(lines.at(-1)).toBe('2 objects in 1 file: all accepted');
});
