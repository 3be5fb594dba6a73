// The bare floor: what any gateway on Node must cost that reads a request as JSON, sends it on, and passes an answer
// back. No routing, no keys, no failover, no metrics: fastify, undici, two JSON.parse.

import { fastify } from 'fastify';
import { Pool } from 'undici';

const upstream = new Pool(`http://127.0.0.1:${process.argv[2]}`, { connections: 1024, pipelining: 1 });
const app = fastify({ logger: false, bodyLimit: 32 * 1024 * 1024 });
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

app.post('/*', (request, reply) => {
  const body = request.body as Buffer;
  const { stream } = JSON.parse(body.toString()) as { stream?: boolean };
  reply.hijack();
  const response = reply.raw;
  const chunks: Buffer[] = [];
  const headers = { 'content-type': 'application/json', authorization: 'Bearer bench' };
  const key = request.headers['idempotency-key'];
  upstream.dispatch(
    {
      method: 'POST',
      path: '/v1/chat/completions',
      body,
      headers: typeof key === 'string' ? { ...headers, 'idempotency-key': key } : headers,
    },
    {
      onRequestStart() {},
      onResponseStart(_controller, status, received) {
        if (stream === true) response.writeHead(status, { 'content-type': String(received['content-type']) });
      },
      onResponseData(controller, chunk) {
        if (stream !== true) chunks.push(chunk);
        else if (!response.write(chunk)) {
          controller.pause();
          response.once('drain', () => controller.resume());
        }
      },
      onResponseEnd() {
        if (stream === true) {
          response.end();
          return;
        }
        const answer = Buffer.concat(chunks);
        JSON.parse(answer.toString());
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length });
        response.end(answer);
      },
      onResponseError() {
        response.destroy();
      },
    },
  );
});
app.server.keepAliveTimeout = 600_000;
await app.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`listening ${(app.server.address() as { port: number }).port}\n`);
