// Answers of an Ollama server, byte for byte as it writes them.

import { encodeChunk, encodeHead, lastChunk } from './upstream-wire.ts';
import { answer } from './scripts.ts';
import type { Script, UpstreamRequest } from './upstream.ts';

const final = {
  done: true,
  total_duration: 1_000_000,
  load_duration: 1,
  prompt_eval_count: 11,
  prompt_eval_duration: 400_000,
  eval_count: 7,
  eval_duration: 600_000,
};

/** Answers like an Ollama server, by the path of the request. */
export function ollama(backend: string): Script {
  return (exchange) => {
    const { target, json } = exchange.request;
    if (target.endsWith('/api/embed')) {
      const inputs = [json['input']].flat();
      const vectors = inputs.map((input) => [Number(input), 0.5, -0.25]);
      return answer({ model: json['model'], embeddings: vectors, prompt_eval_count: inputs.length })(exchange);
    }
    if (target.endsWith('/api/chat') || target.endsWith('/api/generate')) {
      return (json['stream'] === false ? whole(backend) : lines(backend))(exchange);
    }
    return answer({ error: `no such operation: ${target}` }, { status: 404 })(exchange);
  };
}

function said(request: UpstreamRequest, content: string, rest: object = {}): object {
  const isChat = request.target.endsWith('/api/chat');
  const words = isChat ? { message: { role: 'assistant', content, ...rest } } : { response: content, ...rest };
  return { model: request.json['model'], created_at: '2026-11-01T00:00:00.000000001Z', ...words };
}

const calls = [
  { function: { name: 'weather', arguments: { city: 'Oslo' } } },
  { function: { name: 'time', arguments: { zone: 'UTC' } } },
];

function whole(backend: string): Script {
  return (exchange) => {
    const { request } = exchange;
    const rest = Array.isArray(request.json['tools']) ? { tool_calls: calls } : {};
    return answer({ ...said(request, `hello from ${backend}`, rest), ...final, done_reason: 'stop' })(exchange);
  };
}

function lines(backend: string): Script {
  return async (exchange) => {
    const { request } = exchange;
    const tools = Array.isArray(request.json['tools']) ? [said(request, '', { tool_calls: calls })] : [];
    const objects = [
      said(request, '', { thinking: 'hm' }),
      ...['hello ', 'from ', backend].map((word) => said(request, word)),
      ...tools,
    ];
    const wire = [
      ...objects.map((object) => ({ ...object, done: false })),
      { ...said(request, ''), ...final, done_reason: 'stop' },
    ];
    await exchange.send(encodeHead(200, { 'content-type': 'application/x-ndjson', 'transfer-encoding': 'chunked' }));
    for (const object of wire) await exchange.send(encodeChunk(`${JSON.stringify(object)}\n`));
    await exchange.send(lastChunk);
  };
}
