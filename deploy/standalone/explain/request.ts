// The request that `sluice check --explain` is asked about: `POST /azure model=gpt-4o header:x-region=eu key=team-a/app`.

import type { Exchange } from '../../../proxy/ingress/exchange.ts';

/** A request as a person describes it. */
export interface ExplainedRequest {
  /** As it was written. */
  readonly text: string;
  readonly method: string;
  readonly path: string;
  /** With its `?`, or ''. */
  readonly query: string;
  readonly model: string | undefined;
  readonly stream: boolean;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  /** `namespace/name` of the LLMKey that the client shows. */
  readonly key: string | undefined;
}

const usage = "must be 'METHOD /path', then any of model=NAME, stream=true, header:NAME=VALUE and key=NAMESPACE/NAME";

/** Reads the description of a request. Values with blanks stand in quotation marks. Throws an Error. */
export function parseExplainedRequest(text: string): ExplainedRequest {
  const [method, target, ...facts] = text.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [];
  if (method === undefined || target === undefined || !/^[A-Z]+$/.test(method) || !target.startsWith('/')) {
    throw new Error(usage);
  }
  const named = new Map<string, string>();
  const headers = new Map<string, string>();
  for (const fact of facts) {
    const [, name, value] = /^(model|stream|key|header:[^\s:=]+)=(.+)$/.exec(fact.replaceAll(/["']/g, '')) ?? [];
    if (name === undefined || value === undefined) throw new Error(`${usage}; "${fact}" is none of these`);
    if (name.startsWith('header:')) headers.set(name.slice('header:'.length).toLowerCase(), value);
    else named.set(name, value);
  }
  const cut = target.indexOf('?');
  const key = named.get('key');
  return {
    text,
    method,
    path: cut === -1 ? target : target.slice(0, cut),
    query: cut === -1 ? '' : target.slice(cut),
    model: named.get('model'),
    stream: named.get('stream') === 'true',
    headers,
    key: key === undefined || key.includes('/') ? key : `default/${key}`,
  };
}

/** The request as the pipeline would get it. `credential` is what stands in for the client's key. */
export function toExchange(request: ExplainedRequest, credential: string | undefined, now: number): Exchange {
  const { method, path, query, model, stream, headers } = request;
  const body =
    method === 'POST' ? Buffer.from(JSON.stringify({ model, ...(stream ? { stream } : {}) })) : Buffer.alloc(0);
  const answered = (): never => {
    throw new Error('an explained request is never answered');
  };
  return {
    id: 'explain',
    method,
    path,
    query,
    headers: {
      'content-type': 'application/json',
      ...Object.fromEntries(headers),
      ...(credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
    },
    body,
    remoteAddress: '127.0.0.1',
    receivedAtMs: now,
    signal: new AbortController().signal,
    started: false,
    hold: () => true,
    reply: answered,
    stream: answered,
  };
}
