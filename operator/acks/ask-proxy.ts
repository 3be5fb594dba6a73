// Asks one proxy, at its admin port, which configuration it serves and what it has disabled.

import { type Agent, request } from 'undici';
import { z } from 'zod';
import type { DisabledTarget, ProxyReport } from '../status/proxy-report.ts';

/** Where a proxy is asked. */
export interface ProxyAddress {
  /** For people. */
  readonly proxy: string;
  readonly host: string;
  readonly port: number;
}

/** A proxy answers from memory; one that does not is as good as silent. */
const askMs = 2_000;
/** What is disabled in a fleet that has lost everything still fits. */
const answerBytesMax = 8 * 1024 * 1024;

// Loose: proxies of the release before and after this one are asked too.
const configSchema = z.object({
  revision: z.number().nullish(),
  lastRefusal: z.object({ revision: z.number().nullish(), reasons: z.array(z.string()) }).nullish(),
});

const targetSchema = z.object({
  id: z.string(),
  state: z.string(),
  hard: z.boolean().optional(),
  reason: z.string().optional(),
  until: z.string().nullish(),
});

const stateSchema = z.object({ backends: z.array(targetSchema), keys: z.array(targetSchema) });

/** Asks. Rejects with an Error where no sense can be made of the answer, or none comes. */
export async function askProxy(
  { proxy, host, port }: ProxyAddress,
  { agent, token, signal }: { readonly agent: Agent; readonly token: string | undefined; readonly signal: AbortSignal },
): Promise<ProxyReport> {
  const origin = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const get = async (path: string): Promise<unknown> => {
    const { statusCode, body } = await request(origin + path, {
      dispatcher: agent,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(askMs)]),
    });
    if (statusCode === 200) return body.json();
    await body.dump();
    throw new Error(`${path} answered ${statusCode}`);
  };
  const [config, state] = await Promise.all([get('/config'), get('/state/disabled')]);
  const { revision, lastRefusal } = configSchema.parse(config);
  const { backends, keys } = stateSchema.parse(state);
  return {
    proxy,
    revision: revision ?? undefined,
    refusal: lastRefusal ? { revision: lastRefusal.revision ?? undefined, reasons: lastRefusal.reasons } : undefined,
    disabled: [...backends.flatMap((it) => toDisabled('backend', it)), ...keys.flatMap((it) => toDisabled('key', it))],
  };
}

/** Options of the connections to proxies. */
export const agentOptions = {
  connections: 1,
  pipelining: 1,
  connect: { timeout: askMs },
  headersTimeout: askMs,
  bodyTimeout: askMs,
  maxResponseSize: answerBytesMax,
} as const;

/** Only what is out as a whole, and is so by what happened: a key that its own object switches off is not news. */
function toDisabled(
  kind: DisabledTarget['kind'],
  { id, state, hard = false, reason = '', until }: z.output<typeof targetSchema>,
): readonly DisabledTarget[] {
  if (state !== 'disabled' || reason === 'Configured') return [];
  return [{ kind, id, hard, reason, until: until ?? undefined }];
}
