// Between a client and an upstream of another protocol, or of the same in another dialect, requests and answers are
// translated; everything else is as it is between two that understand each other. Mistral is the example: it speaks chat
// completions, but not OpenAI's.

import { describe, expect, it } from 'vitest';
import { chat, chatRequest, chunkFrame, doneFrame, markedText, roleFrame } from '../../support/chat.ts';
import { ask, contentOf, dataOf, errorOf, official, streamedContentOf } from '../../support/client.ts';
import { backend, provider } from '../../support/config.ts';
import { answer, byteByByte, inTurn, stopAfter, stream } from '../../support/scripts.ts';
import { openStage, type Stage, type StageOptions } from '../../support/stage.ts';
import type { Script, UpstreamRequest } from '../../support/upstream.ts';

/** A stage on which the backends named `mistral…` are Mistral's. */
function stageOf<Name extends string>(
  scripts: Readonly<Record<Name, Script>>,
  options: StageOptions = {},
): Promise<Stage<Name>> {
  return openStage(scripts, {
    ...options,
    draft(usual) {
      const providers = usual.providers.map((each) =>
        each.id.includes('/mistral') ? provider(each.id.split('/')[1]!, each.baseURL, { type: 'Mistral' }) : each,
      );
      return { ...usual, providers };
    },
  });
}

/** A frame as Mistral writes them: usage beside the last choice, content that is a list. */
function choiceFrame(request: UpstreamRequest, delta: object, finish: string | null = null, rest: object = {}): string {
  return chunkFrame(request, { choices: [{ index: 0, delta, finish_reason: finish }], ...rest });
}

const thinking = { type: 'thinking', thinking: [{ type: 'text', text: 'let me see' }] };
const usage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };

const thinkingFrames = (request: UpstreamRequest): string[] => [
  roleFrame(request),
  choiceFrame(request, { content: [thinking] }),
  choiceFrame(request, { content: [{ type: 'text', text: 'good ' }] }),
  choiceFrame(request, { content: 'dây 😀' }),
  choiceFrame(request, { content: '' }, 'stop', { usage }),
  doneFrame,
];

/** Both kinds of answers of a model that thinks. */
const thinker: Script = (exchange) => {
  const { request } = exchange;
  if (request.json['stream'] === true) return stream(thinkingFrames(request))(exchange);
  const message = { role: 'assistant', content: [thinking, { type: 'text', text: 'good dây 😀' }] };
  return answer({ id: 'm1', model: 'magistral', choices: [{ index: 0, message, finish_reason: 'stop' }], usage })(
    exchange,
  );
};

const id = 'call_0123456789abcdef';
const toolRequest = {
  model: 'chat',
  messages: [
    { role: 'developer', content: 'be brief' },
    { role: 'user', content: 'one' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id, type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } }],
    },
    { role: 'tool', tool_call_id: id, content: 'rain' },
  ],
  tools: [{ type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: {} } } }],
  tool_choice: 'required',
  seed: 7,
  max_completion_tokens: 50,
};

describe('a request', () => {
  it('[57] is written as the upstream wants it, with ids that are the same in call and result', async () => {
    await using stage = await stageOf({ mistral: chat('mistral') });
    expect((await ask(stage.chatURL, { body: toolRequest })).status).toBe(200);
    const { json, target } = stage.upstreams.mistral.requests[0]!;
    expect(target).toBe('/v1/chat/completions');
    expect(json).toMatchObject({ random_seed: 7, tool_choice: 'any', max_tokens: 50 });
    expect(json).not.toHaveProperty('seed');
    const [system, , assistant, result] = json['messages'] as Record<string, unknown>[];
    expect(system).toEqual({ role: 'system', content: 'be brief' });
    const [call] = (assistant as { tool_calls: { id: string }[] }).tool_calls;
    expect(call?.id).toMatch(/^[a-zA-Z0-9]{9}$/);
    expect(result).toEqual({ role: 'tool', name: 'weather', tool_call_id: call?.id, content: 'rain' });
  });

  it('[22] has what the upstream is not told in a header, under the names that the client used', async () => {
    await using stage = await stageOf({ mistral: chat('mistral') });
    const told = await ask(stage.chatURL, {
      body: chatRequest('one', { temperature: 2, logit_bias: { 1: 1 }, top_k: 3, user: 'me' }),
    });
    expect(told.headers['x-sluice-dropped']?.split(',').toSorted()).toEqual([
      'logit_bias',
      'temperature=clamped',
      'top_k',
      'user',
    ]);
    expect(stage.upstreams.mistral.requests[0]?.json).toMatchObject({ temperature: 1.5 });
    expect((await ask(stage.chatURL, { body: chatRequest('one') })).headers).not.toHaveProperty('x-sluice-dropped');
  });

  it('[22] is refused by the client’s name of what cannot be asked, without any upstream', async () => {
    await using stage = await stageOf({ mistral: chat('mistral') });
    for (const [name, value] of [
      ['n', 2],
      ['web_search_options', {}],
    ] as const) {
      const got = await ask(stage.chatURL, { body: chatRequest('one', { [name]: value }) });
      expect(got.status).toBe(400);
      expect(errorOf(got)).toMatchObject({ type: 'invalid_request_error', param: name, code: 'unsupported_parameter' });
      expect(errorOf(got).message).toContain(name);
    }
    expect(stage.upstreams.mistral.requests).toEqual([]);
    expect((await stage.gateway.backend('default/chat/mistral')).state).toBe('enabled');
  });

  it('goes to a backend that can be asked, if there is one', async () => {
    await using stage = await stageOf({ mistral: chat('mistral'), other: chat('other') });
    const got = await ask(stage.chatURL, { body: chatRequest('one', { n: 2 }) });
    expect([got.status, got.headers['x-sluice-backend'], got.headers['x-sluice-attempts']]).toEqual([
      200,
      'other',
      '1',
    ]);
  });

  it('is told what is wrong with it where it cannot even be understood', async () => {
    await using stage = await stageOf({ mistral: chat('mistral') });
    const got = await ask(stage.chatURL, { body: { model: 'chat', messages: [{ role: 'nobody' }] } });
    expect([got.status, errorOf(got).message]).toEqual([400, 'messages[0].role is not supported.']);
  });

  it('takes the model and the parameters of the backend', async () => {
    const parameters = { set: { safe_prompt: true }, remove: ['random_seed'] };
    const backends = [backend('mistral', { model: 'its-own', parameters })];
    await using stage = await stageOf({ mistral: chat('mistral') }, { rule: { backends } });
    const { model: _, ...nameless } = chatRequest('one', { seed: 1 });
    await ask(stage.chatURL, { body: nameless });
    await ask(stage.chatURL, { body: { model: 'mine', ...nameless } });
    for (const { json } of stage.upstreams.mistral.requests) {
      expect(json).toEqual({ model: 'its-own', messages: [{ role: 'user', content: 'one' }], safe_prompt: true });
    }
  });

  it('needs a model from somebody', async () => {
    await using stage = await stageOf({ mistral: chat('mistral') });
    const got = await ask(stage.chatURL, { body: { messages: [] } });
    expect([got.status, errorOf(got).code]).toEqual([400, 'model_required']);
  });

  it('has none of the headers that speak of the client’s bytes', async () => {
    await using stage = await stageOf({ mistral: chat('mistral') });
    const headers = { 'openai-beta': 'x', accept: 'text/html', traceparent: '00-1-2-01', 'user-agent': 'me' };
    await ask(stage.chatURL, { body: chatRequest('one'), headers });
    const got = stage.upstreams.mistral.requests[0]!.headers;
    expect(got).toMatchObject({ 'content-type': 'application/json', 'user-agent': 'me sluice' });
    expect(Object.keys(got)).not.toContain('openai-beta');
    expect(Object.keys(got)).not.toContain('accept');
  });
});

describe('an answer', () => {
  it('[58] has thinking and text apart, whole and streamed, however its bytes are cut', async () => {
    for (const script of [thinker, byteByByte(thinker)]) {
      await using stage = await stageOf({ mistral: script });
      const whole = await ask(stage.chatURL, { body: chatRequest('one') });
      expect(JSON.parse(whole.text)).toMatchObject({
        id: 'm1',
        object: 'chat.completion',
        model: 'magistral',
        choices: [{ message: { content: 'good dây 😀', reasoning_content: 'let me see' }, finish_reason: 'stop' }],
        usage,
      });
      expect(whole.headers['content-type']).toBe('application/json');
      for (const version of ['v6', 'v7'] as const) {
        const client = official(version, `${stage.gateway.url}/chat/v1`);
        const streamed = client.chat.completions.stream({
          model: 'chat',
          messages: [{ role: 'user', content: 'one' }],
          stream_options: { include_usage: true },
        });
        const { choices, usage: told } = await streamed.finalChatCompletion();
        expect(choices[0]).toMatchObject({ message: { content: 'good dây 😀' }, finish_reason: 'stop' });
        expect(told).toMatchObject(usage);
      }
    }
  });

  it('[30] shows usage in its stream to nobody but those who ask, in a chunk of its own', async () => {
    await using stage = await stageOf({ mistral: thinker });
    for (const wanted of [true, false]) {
      const options = wanted ? { stream_options: { include_usage: true } } : {};
      const got = await ask(stage.chatURL, { body: chatRequest('one', { stream: true, ...options }) });
      expect(got.headers['content-type']).toBe('text/event-stream');
      const chunks = dataOf(got.text)
        .slice(0, -1)
        .map((data) => JSON.parse(data) as { usage?: object; choices: [] });
      expect(chunks.filter((chunk) => chunk.usage)).toEqual(
        wanted ? [expect.objectContaining({ choices: [], usage })] : [],
      );
    }
    // Whether the client asks or not, what it used is counted.
    expect(await stage.gateway.metrics()).toMatch(
      /sluice_tokens_total\{route="default\/chat",backend="mistral",type="input"\} 22/,
    );
  });

  it('[14] is read from whatever compression the upstream could not do without', async () => {
    const body = { choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }] };
    await using stage = await stageOf({ mistral: answer(body, { gzip: true }) });
    const got = await ask(stage.chatURL, { body: chatRequest('one') });
    expect(contentOf(got)).toBe('hello');
    expect(got.headers).not.toHaveProperty('content-encoding');
    // What the upstream did not say is not left out.
    expect(JSON.parse(got.text)).toMatchObject({ id: got.headers['x-request-id'], model: 'chat' });
  });

  it('that nobody wrote anything into is passed on when nobody has a better one', async () => {
    const empty = { choices: [{ index: 0, message: { role: 'assistant', content: '' }, finish_reason: 'stop' }] };
    await using stage = await stageOf({ mistral: answer(empty), mistral2: answer(empty) });
    const got = await ask(stage.chatURL, { body: chatRequest('one') });
    expect([got.status, contentOf(got), got.headers['x-sluice-attempts']]).toEqual([200, '', '2']);
  });
});

describe('a failure', () => {
  it('[59] of the client’s making is told in the upstream’s words and the client’s form', async () => {
    const detail = [{ loc: ['body', 'messages'], msg: 'Input should be a valid list', type: 'list_type' }];
    await using stage = await stageOf({ mistral: answer({ detail }, { status: 422 }) });
    const got = await ask(stage.chatURL, { body: chatRequest('one') });
    expect(got.status).toBe(422);
    expect(errorOf(got)).toMatchObject({ type: 'invalid_request_error' });
    expect(errorOf(got).message).toContain('Input should be a valid list');
  });

  it.each<[string, Script]>([
    ['a status', answer({ object: 'error', message: 'no' }, { status: 500 })],
    ['an error in the stream', (exchange) => stream([`data: {"object":"error","message":"no"}\n\n`])(exchange)],
    ['a cut', stopAfter(150, 'end', thinker)],
    ['what is no answer', answer('<html></html>', { headers: { 'content-type': 'text/html' } })],
    [
      'a tool call that is not whole',
      (exchange) => {
        const { request } = exchange;
        const call = { index: 0, id: 'abcdefghi', function: { name: 'weather', arguments: '{"city":' } };
        const last = choiceFrame(request, {}, 'tool_calls', { usage });
        return stream([choiceFrame(request, { tool_calls: [call] }) + last + doneFrame])(exchange);
      },
    ],
  ])('before content moves on to the next backend: %s', async (_name, script) => {
    await using stage = await stageOf({ mistral: script, good: chat('good') });
    const got = await ask(stage.chatURL, { body: chatRequest('one', { stream: true }) });
    expect([got.status, streamedContentOf(got)]).toEqual([200, markedText('good', 'one')]);
    expect((await stage.gateway.backend('default/chat/mistral')).state).toBe('disabled');
  });

  it('after content ends the stream with an error that the official client throws', async () => {
    const cut: Script = async (exchange) => {
      const frames = thinkingFrames(exchange.request).slice(0, 3);
      await stream(frames, { gapMs: 5 })(exchange);
    };
    await using stage = await stageOf({ mistral: cut });
    const got = await ask(stage.chatURL, { body: chatRequest('one', { stream: true }) });
    expect([got.broken, streamedContentOf(got)]).toEqual([false, 'good ']);
    expect(dataOf(got.text).at(-1)).toContain('stream_truncated');
    const client = official('v7', `${stage.gateway.url}/chat/v1`);
    const failing = client.chat.completions.stream({ model: 'chat', messages: [{ role: 'user', content: 'one' }] });
    await expect(failing.finalChatCompletion()).rejects.toThrow();
  });

  it('gives one backend after the other what it wants, out of one reading of the request', async () => {
    const failing = inTurn(answer('', { status: 500 }));
    const usual = { plain: failing, mistral: failing, last: chat('last') };
    await using stage = await stageOf(usual, { provider: { type: 'OpenAI' } });
    const got = await ask(stage.chatURL, { body: toolRequest });
    expect([got.status, got.headers['x-sluice-attempts']]).toEqual([200, '3']);
    expect(stage.upstreams.plain.requests[0]?.json).toEqual(toolRequest);
    expect(stage.upstreams.mistral.requests[0]?.json).toMatchObject({ random_seed: 7 });
    expect(stage.upstreams.last.requests[0]?.json).toEqual(toolRequest);
  });
});
