import { createServer } from 'node:net';
import OpenAI, { type APIError } from 'openai';
import { expect, test } from 'vitest';
import { StartFailure } from '../../proxy/command-line/failures.ts';
import { startStandIn } from '../../deploy/standalone/stand-ins/server.ts';
import { startStandIns } from '../../deploy/standalone/stand-ins/stand-ins.ts';

const now = (): number => Date.UTC(2026, 0);

interface Rig extends AsyncDisposable {
  readonly url: string;
  readonly client: OpenAI;
}

/** A stand-in and the official client, pointed at it. */
async function startRig({ name = 'gpt4', broken = false, pieceMs = 0 } = {}): Promise<Rig> {
  const standIn = await startStandIn({ name, port: 0, broken, pieceMs, now });
  const client = new OpenAI({ baseURL: standIn.url, apiKey: 'none', maxRetries: 0 });
  return { url: standIn.url, client, [Symbol.asyncDispose]: () => standIn.close() };
}

const messages = [{ role: 'user' as const, content: 'Hello' }];

test('a chat answer names the stand-in, repeats the question, and counts tokens', async () => {
  await using rig = await startRig();
  const { choices, model, usage, created } = await rig.client.chat.completions.create({ model: 'gpt-4', messages });
  expect(choices[0]?.message.content).toMatch(/^Hello from gpt4, a stand-in .*You said: "Hello"/);
  expect(choices[0]?.finish_reason).toBe('stop');
  expect(model).toBe('gpt-4');
  expect(created).toBe(now() / 1000);
  expect(usage?.total_tokens).toBe((usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0));
});

test('the same question gets the same answer', async () => {
  await using rig = await startRig();
  const ask = async (): Promise<string | null | undefined> =>
    (await rig.client.chat.completions.create({ model: 'm', messages })).choices[0]?.message.content;
  expect(await ask()).toBe(await ask());
});

test('a stream comes in small pieces, one after the other, with its usage at the end', async () => {
  await using rig = await startRig({ pieceMs: 5 });
  const stream = await rig.client.chat.completions.create({
    model: 'gpt-4',
    messages,
    stream: true,
    stream_options: { include_usage: true },
  });
  const texts: string[] = [];
  let usage: OpenAI.CompletionUsage | null | undefined;
  for await (const chunk of stream) {
    texts.push(chunk.choices[0]?.delta.content ?? '');
    usage = chunk.usage ?? usage;
  }
  expect(texts.join('')).toMatch(/^Hello from gpt4, .* names one\.$/);
  expect(texts.length).toBeGreaterThan(10);
  expect(usage?.completion_tokens).toBe(25);
});

test('an answer ends where the client says', async () => {
  await using rig = await startRig();
  const { choices } = await rig.client.chat.completions.create({ model: 'm', messages, max_completion_tokens: 3 });
  expect(choices[0]).toMatchObject({ finish_reason: 'length', message: { content: 'Hello from gpt4,' } });
});

const tools: OpenAI.ChatCompletionTool[] = [
  {
    type: 'function',
    function: {
      name: 'weather',
      parameters: { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } } },
    },
  },
];

test.each([
  ['is required', 'required' as const, 'Hello'],
  ['is named by the client', { type: 'function' as const, function: { name: 'weather' } }, 'Hello'],
  ['stands in the question', 'auto' as const, 'How is the Weather?'],
])('a tool that %s is called', async (_why, choice, content) => {
  await using rig = await startRig();
  const { choices } = await rig.client.chat.completions.create({
    model: 'm',
    messages: [{ role: 'user', content }],
    tools,
    tool_choice: choice,
  });
  expect(choices[0]?.finish_reason).toBe('tool_calls');
  const [call] = choices[0]?.message.tool_calls ?? [];
  const { name, arguments: given } = (call as OpenAI.ChatCompletionMessageFunctionToolCall).function;
  expect([name, JSON.parse(given)]).toEqual(['weather', { city: content, days: 1 }]);
});

test('the result of a tool is answered with a text, and no tool is called unasked', async () => {
  await using rig = await startRig();
  const result = { role: 'tool' as const, tool_call_id: 'call_1', content: 'Sunny weather' };
  for (const last of [result, ...messages]) {
    const { choices } = await rig.client.chat.completions.create({ model: 'm', messages: [...messages, last], tools });
    expect(choices[0]?.message.content).toContain(`You said: "${last.content}"`);
  }
});

test('a tool call is streamed too', async () => {
  await using rig = await startRig();
  const stream = rig.client.chat.completions.stream({ model: 'm', messages, tools, tool_choice: 'required' });
  const { choices } = await stream.finalChatCompletion();
  expect(choices[0]?.message.tool_calls?.[0]).toMatchObject({ function: { name: 'weather' } });
});

test('bare prompts are answered, streamed or not', async () => {
  await using rig = await startRig();
  const whole = await rig.client.completions.create({ model: 'm', prompt: 'Once' });
  expect(whole.choices[0]?.text).toContain('You said: "Once"');
  const texts: string[] = [];
  for await (const { choices } of await rig.client.completions.create({ model: 'm', prompt: 'Once', stream: true })) {
    texts.push(choices[0]?.text ?? '');
  }
  expect(texts.join('')).toBe(whole.choices[0]?.text);
});

test('the Responses API is answered, streamed or not', async () => {
  await using rig = await startRig();
  const whole = await rig.client.responses.create({ model: 'm', input: 'Hello' });
  expect(whole.output_text).toContain('Hello from gpt4');
  expect(whole.status).toBe('completed');
  const stream = rig.client.responses.stream({ model: 'm', input: [{ role: 'user', content: 'Hello' }] });
  const events: string[] = [];
  stream.on('event', ({ type }) => events.push(type));
  const final = await stream.finalResponse();
  expect(final.output_text).toBe(whole.output_text);
  expect(events.at(0)).toBe('response.created');
  expect(events.at(-1)).toBe('response.completed');
  const cut = await rig.client.responses.create({ model: 'm', input: 'Hello', max_output_tokens: 2 });
  expect(cut.incomplete_details?.reason).toBe('max_output_tokens');
});

test('embeddings are the same for the same text, of length one, in both formats', async () => {
  await using rig = await startRig();
  const ask = async (input: string | string[], format: 'float' | 'base64'): Promise<readonly number[][]> =>
    (await rig.client.embeddings.create({ model: 'm', input, encoding_format: format, dimensions: 40 })).data.map(
      ({ embedding }) => embedding,
    );
  const [one, two] = await ask(['a', 'b'], 'float');
  expect(one).toHaveLength(40);
  expect(Math.hypot(...(one ?? []))).toBeCloseTo(1);
  expect(one).not.toEqual(two);
  expect(await ask('a', 'float')).toEqual([one]);
  const encoded = (await ask('a', 'base64')) as unknown as readonly string[];
  const floats = new Float32Array(Uint8Array.from(Buffer.from(encoded[0] ?? '', 'base64')).buffer);
  expect([...floats]).toEqual((one ?? []).map(Math.fround));
});

test('models are listed', async () => {
  await using rig = await startRig();
  const { data } = await rig.client.models.list();
  expect(data.map(({ id }) => id)).toEqual(['gpt4']);
});

test('a broken stand-in fails whatever it is asked', async () => {
  await using rig = await startRig({ name: 'dud', broken: true });
  const failures: APIError[] = [];
  for (const ask of [
    () => rig.client.chat.completions.create({ model: 'm', messages }),
    () => rig.client.models.list(),
  ]) {
    await ask().catch((error: unknown) => failures.push(error as APIError));
  }
  expect(failures.map(({ status }) => status)).toEqual([500, 500]);
  expect(failures[0]?.message).toContain('dud fails on purpose');
});

test.each([
  ['/chat/completions', 'POST', 'no json', 400],
  ['/chat/completions', 'POST', '[]', 400],
  ['/chat/completions', 'POST', '{}', 400],
  ['/chat/completions', 'GET', undefined, 405],
  ['/embeddings', 'POST', '{}', 400],
  ['/embeddings', 'POST', '{"input":"a","dimensions":0}', 400],
  ['/nothing', 'POST', '{}', 404],
])('%s asked with %s and %s is a %d', async (path, method, body, status) => {
  await using rig = await startRig();
  const response = await fetch(`${rig.url}${path}`, { method, ...(body === undefined ? {} : { body }) });
  expect(response.status).toBe(status);
  expect(await response.json()).toHaveProperty('error.message');
});

test('a client that leaves in the middle of a stream does no harm', async () => {
  await using rig = await startRig({ pieceMs: 5 });
  const stream = await rig.client.chat.completions.create({ model: 'm', messages, stream: true });
  for await (const _chunk of stream) break;
  expect((await rig.client.models.list()).data).toHaveLength(1);
});

test('a port that is taken is named with what to do', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => void taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as { readonly port: number };
  try {
    const started = startStandIns(port, now);
    await expect(started).rejects.toThrow(StartFailure);
    const message = new RegExp(
      `^127\\.0\\.0\\.1:${port}, for the stand-in gpt35turbo, is in use: .*--stand-ins FIRST-PORT`,
    );
    await expect(started).rejects.toThrow(message);
  } finally {
    taken.close();
  }
});
