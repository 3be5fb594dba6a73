// The small requests by which credentials are got: what goes out, and what comes back. Who sends them is passed in.

import type { SignalHeaders } from '../canonical/failure.ts';

/** A request without anything of a client's. */
export interface SmallRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What comes back. */
export interface SmallAnswer {
  readonly status: number;
  readonly headers: SignalHeaders;
  readonly body: string;
}

/** Sends one. Rejects with SigningFailure where nothing comes back. */
export type Ask = (request: SmallRequest) => Promise<SmallAnswer>;

/** A form, and the wish for JSON. */
export function formRequest(url: string, form: Readonly<Record<string, string>>): SmallRequest {
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
  return { method: 'POST', url, headers, body: new URLSearchParams(form).toString() };
}
