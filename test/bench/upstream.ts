// The upstream of the benchmark: answers at once, from prepared bytes, so that what is measured is what lies before it.
// `POST …/chat/completions`; a body with `"stream":true` gets events, as many and as far apart as its headers say. Below
// `/broken` everything is a 500.

import { createServer, type ServerResponse } from 'node:http';

const answer = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'bench',
    choices: [{ index: 0, message: { role: 'assistant', content: 'word '.repeat(160).trim() }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 200, completion_tokens: 160, total_tokens: 360 },
  }),
);

const fault = Buffer.from(JSON.stringify({ error: { message: 'The server had an error.', type: 'server_error' } }));

function event(delta: object, finish: string | null): Buffer {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finish }];
  const chunk = {
    id: 'chatcmpl-bench',
    object: 'chat.completion.chunk',
    created: 1_700_000_000,
    model: 'bench',
    choices,
  };
  return Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`);
}

const first = event({ role: 'assistant', content: '' }, null);
const word = event({ content: ' word' }, null);
const last = Buffer.concat([event({}, 'stop'), Buffer.from('data: [DONE]\n\n')]);

function stream(response: ServerResponse, events: number, everyMs: number): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(first);
  let sent = 0;
  const next = (): void => {
    if (response.destroyed) return;
    if (sent === events) {
      response.end(last);
      return;
    }
    sent += 1;
    response.write(word);
    if (everyMs > 0) setTimeout(next, everyMs);
    else setImmediate(next);
  };
  next();
}

const server = createServer((request, response) => {
  let streams = false;
  request.on('data', (chunk: Buffer) => {
    streams ||= chunk.includes('"stream":true');
  });
  request.on('end', () => {
    if (streams) {
      const [events = '100', everyMs = '0'] = String(request.headers['idempotency-key'] ?? '').split('/');
      stream(response, Number(events), Number(everyMs));
      return;
    }
    const [status, body] = request.url?.startsWith('/broken') ? [500, fault] : [200, answer];
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  });
});
server.keepAliveTimeout = 600_000;
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`listening ${typeof address === 'object' ? address?.port : ''}\n`);
});
