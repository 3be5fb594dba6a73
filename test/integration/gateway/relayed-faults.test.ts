// What a client gets wrong below a route's path: its own fault, told as the upstream tells it, and nobody else's.

import { expect, it } from 'vitest';
import { ask, errorOf } from '../../support/client.ts';
import { chat, chatRequest } from '../../support/chat.ts';
import { backend, provider, route, rule } from '../../support/config.ts';
import { startTestGateway } from '../../support/gateway.ts';
import { answer } from '../../support/scripts.ts';
import { startUpstream } from '../../support/upstream.ts';

it('passes the 404 of a path that no upstream knows on, and disables nothing', async () => {
  const notFound = answer(
    { error: { message: 'Unknown request URL', type: 'invalid_request_error' } },
    { status: 404 },
  );
  await using a = await startUpstream((exchange) =>
    exchange.request.target.endsWith('/chat/completions') ? chat('a')(exchange) : notFound(exchange),
  );
  await using gateway = await startTestGateway({
    providers: [provider('a', a.baseURL)],
    routes: [route('chat', [rule([backend('a', { model: 'm' })])])],
  });
  const wrong = await ask(`${gateway.url}/chat/chat/completion`, { body: chatRequest('one') });
  expect(wrong.status).toBe(404);
  expect(errorOf(wrong).message).toBe('Unknown request URL');
  const right = await ask(`${gateway.url}/chat/`, { body: chatRequest('two') });
  expect(right.status).toBe(200);
});
