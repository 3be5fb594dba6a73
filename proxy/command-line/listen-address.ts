// `HOST:PORT`, as flags and variables give it.

import type { ListenAddress } from '../ingress/ingress.ts';

/** Reads `127.0.0.1:8080`, `[::1]:8080`, `:8080` (every address) or `8080` (this machine only). Throws an Error. */
export function parseListenAddress(text: string): ListenAddress {
  const [, bracketed, plain, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]:|([^\s:[\]/]*):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) throw new Error('must be HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080');
  if (plain === '') return { host: '::', port };
  return { host: bracketed ?? plain ?? '127.0.0.1', port };
}

/** An address as it stands in a URL that a client of this machine can use. */
export function toAuthority({ host, port }: ListenAddress): string {
  const reachable = host === '::' || host === '0.0.0.0' ? 'localhost' : host;
  return reachable.includes(':') ? `[${reachable}]:${port}` : `${reachable}:${port}`;
}
