// The two things that tests need of etcd itself, over its HTTP gateway.

import { request } from 'undici';

/** Whether it has elected itself and answers. */
export async function etcdIsHealthy(port: number): Promise<boolean> {
  try {
    const { statusCode, body } = await request(`http://127.0.0.1:${port}/health`);
    await body.dump();
    return statusCode === 200;
  } catch {
    return false;
  }
}

/** Forgets every revision before the present one. */
export async function compact(port: number): Promise<void> {
  const range = await call(port, '/v3/kv/range', { key: btoa('any') });
  const { revision } = range.header;
  await call(port, '/v3/kv/compaction', { revision, physical: true });
}

interface Answer {
  readonly header: { readonly revision: string };
}

async function call(port: number, path: string, body: object): Promise<Answer> {
  const answer = await request(`http://127.0.0.1:${port}${path}`, { method: 'POST', body: JSON.stringify(body) });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(`etcd ${path}: ${answer.statusCode} ${text}`);
  return JSON.parse(text) as Answer;
}
