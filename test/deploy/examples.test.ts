import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { check } from '../../deploy/standalone/check.ts';
import { parseExplainedRequest } from '../../deploy/standalone/explain/request.ts';

const folder = new URL('../../deploy/examples/', import.meta.url).pathname;
const files = globSync(`${folder}*.yaml`).toSorted();

/** Every variable that an example mentions is set. */
const environment = Object.fromEntries(
  files
    .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/\$\{(\w+)/g)])
    .map(([, name = ''], index) => [name, `value-${index}`]),
);

async function checked(file: string, ...requests: readonly string[]): Promise<readonly string[]> {
  const lines: string[] = [];
  const print = (line: string): void => void lines.push(line);
  await check(
    {
      paths: [`${folder}${file}`],
      className: 'default',
      disableSecondsDefault: 600,
      requests: requests.map(parseExplainedRequest),
    },
    { environment, terminal: { print, warn: print }, now: Date.UTC(2026, 0) },
  );
  return lines;
}

/** Keys that an operator makes are not there yet in a file, which is worth a warning. */
const forClusters = 'cluster.yaml';

test.each(files.map((file) => basename(file)).filter((file) => file !== forClusters))(
  '%s is accepted without a word',
  async (file) => {
    expect(await checked(file)).toEqual([expect.stringMatching(/^\d+ objects in 1 file: all accepted$/)]);
  },
);

test('the one for clusters is accepted but for the key that nobody has made yet', async () => {
  expect(await checked(forClusters)).toEqual([
    expect.stringContaining('LLMKey team-a/checkout spec.client.generate.secretName: warning: there is no Secret'),
    expect.stringMatching(/^\d+ objects in 1 file: all accepted, 1 warning$/),
  ]);
});

test('every example is in the index, and nothing else', () => {
  const index = readFileSync(`${folder}README.md`, 'utf8');
  const named = [...index.matchAll(/^\| \[(\S+)\]\((\S+)\)/gm)].map(([, name, link]) => [name, link]);
  const names = files.map((file) => basename(file));
  expect(new Set(named.map(([name]) => name))).toEqual(new Set(names));
  expect(named.every(([name, link]) => name === link)).toBe(true);
});

test('the quickstart has three backends at random', async () => {
  const lines = await checked('quickstart.yaml', 'POST /azure');
  expect(lines).toContain('  priority 0  Random among 3:');
});

test('three vendors: Europe is answered in Europe', async () => {
  const lines = await checked('three-vendors.yaml', 'POST /v1/chat/completions model=chat key=me header:x-region=eu');
  const text = lines.join('\n');
  expect(text).toContain(
    'https://my-resource.openai.azure.com/openai/v1/chat/completions\n                model my-gpt-4o-deployment; key default/azure',
  );
  expect(text).toContain('https://api.mistral.ai/v1/chat/completions');
  expect(text).not.toContain('api.openai.com');
});

test('eu residency: no way leads out of Europe, not even the fallback', async () => {
  const always = 'POST /v1/chat/completions model=patients key=default/clinic';
  const asked = 'POST /v1/chat/completions model=office key=default/clinic header:x-residency=eu';
  for (const request of [always, asked]) {
    const text = (await checked('eu-residency.yaml', request)).join('\n');
    expect(text).toContain('https://api.mistral.ai');
    expect(text).toContain('openai: out, residency must be one of eu');
    expect(text).not.toContain('api.openai.com');
  }
  const free = await checked('eu-residency.yaml', 'POST /v1/chat/completions model=office key=default/clinic');
  expect(free.join('\n')).toContain('https://api.openai.com');
});

test('own first: the vendor has the lower priority', async () => {
  const lines = await checked('own-first.yaml', 'POST /assistant');
  expect(lines.filter((line) => line.includes('priority'))).toEqual([
    '  priority 0  own: POST http://127.0.0.1:8000/v1/chat/completions',
    '  priority 1  openai: POST https://api.openai.com/v1/chat/completions',
  ]);
});

test('team keys: the small model is for both, the large one for one of them', async () => {
  const ask = async (model: string, key: string): Promise<string | undefined> =>
    (await checked('team-keys.yaml', `POST /v1/chat/completions model=${model} key=${key}`)).find((line) =>
      /priority|answer/.test(line),
    );
  expect(await ask('small', 'checkout/app')).toContain('mini: POST');
  expect(await ask('large', 'checkout/app')).toContain('full: POST');
  expect(await ask('small', 'search/app')).toContain('mini: POST');
  expect(await ask('large', 'search/app')).toContain('403 ');
});

test.each([
  [
    'gemini.yaml',
    'POST /gemini',
    'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent, translated to gemini\n                model gemini-2.5-flash; key default/gemini',
  ],
  [
    'gemini.yaml',
    'POST /v1/embeddings model=vectors',
    '/v1beta/models/gemini-embedding-001:batchEmbedContents, translated to gemini-embeddings',
  ],
  [
    'vertex-ai.yaml',
    'POST /assistant stream=true',
    'https://europe-west4-aiplatform.googleapis.com/v1/projects/my-project/locations/europe-west4/publishers/anthropic/models/claude-sonnet-4-5@20250929:streamRawPredict, translated to anthropic-messages',
  ],
  [
    'vertex-ai.yaml',
    'POST /assistant stream=true',
    'https://aiplatform.googleapis.com/v1/publishers/google/models/gemini-2.5-flash:streamGenerateContent?alt=sse, translated to gemini',
  ],
  [
    'vertex-ai.yaml',
    'POST /assistant/claude/messages',
    '/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict\n',
  ],
  [
    'bedrock.yaml',
    'POST /v1/chat/completions model=assistant',
    'https://bedrock-runtime.eu-central-1.amazonaws.com/model/eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse, translated to bedrock-converse',
  ],
  [
    'bedrock.yaml',
    'POST /v1/embeddings model=vectors',
    '/model/amazon.titan-embed-text-v2%3A0/invoke, translated to bedrock-embeddings',
  ],
  ['cohere.yaml', 'POST /cohere', 'https://api.cohere.com/v2/chat, translated to cohere'],
  ['cohere.yaml', 'POST /cohere/v2/rerank', 'https://api.cohere.com/v2/rerank\n'],
])('%s: %s goes to the vendor’s own place', async (file, request, place) => {
  expect((await checked(file, request)).join('\n')).toContain(place);
});

test('broker: anything but 200 fails over and disables for ten minutes', async () => {
  const lines = await checked('broker.yaml', 'POST /azure');
  expect(lines).toContain('              and after the statuses 201-599');
  expect(lines).toContain('  disable     one failure takes a backend out for 600 s');
});
