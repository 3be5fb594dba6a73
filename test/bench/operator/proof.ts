// Requests that show whether proxies do what they say they serve.

import { type Agent, request } from 'undici';
import type { Proof } from './changes.ts';
import type { ProxyProgram } from './rig.ts';

/** Of an answer, for people. */
const textMax = 200;

/** Asks every proxy what every proof asks. Returns what was not as it should be. */
export async function findLies(
  proxies: readonly ProxyProgram[],
  proofs: readonly Proof[],
  agent: Agent,
): Promise<readonly string[]> {
  const asked = proxies.flatMap(({ url }) => proofs.map(async (proof) => judge(url, proof, agent)));
  return (await Promise.all(asked)).filter((lie) => lie !== undefined);
}

async function judge(url: string, { model, secret, works }: Proof, agent: Agent): Promise<string | undefined> {
  const { statusCode, body } = await request(`${url}/v1/chat/completions`, {
    method: 'POST',
    dispatcher: agent,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] }),
  });
  const text = await body.text();
  if ((statusCode === 200) === works) return undefined;
  return `${url} answered ${statusCode} for ${model}, which should ${works ? 'work' : 'be refused'}: ${text.slice(0, textMax)}`;
}
