// Why proxies refused a configuration, in the words that one object's status may carry: a configuration is about the
// objects of all namespaces, and so may be the reasons for refusing it.

import { joinBounded, messageBytesMax } from './bounded-text.ts';
import type { ProxyReport } from './proxy-report.ts';

/** A proxy with the revision that it refused. */
export interface RefusingProxy {
  readonly proxy: string;
  readonly revision: number;
  readonly reasons: readonly string[];
}

/** Enough for a few names of pods. */
const namesBytesMax = 256;

/** Longer reasons are not looked through for names of others; those that proxies give have a line. */
const reasonLengthMax = 512;

/** Everything in a text that could be an object's id, or begin with one. */
const ids = /[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?(?:\/[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?)+/gi;

/** The proxy, if it refused this revision or a later one. */
export function refusalSince({ proxy, refusal }: ProxyReport, since: number): RefusingProxy | undefined {
  if (refusal?.revision === undefined || refusal.revision < since) return undefined;
  return { proxy, revision: refusal.revision, reasons: refusal.reasons };
}

/** Who refused what, and why as far as it is about the object `id` and about no other namespace. */
export function describeRefusals(
  refusing: readonly RefusingProxy[],
  { id, total }: { readonly id: string; readonly total: number },
): string {
  // In an order of their own: reports come in whatever order proxies answer.
  const sorted = refusing.toSorted((a, b) => (a.proxy < b.proxy ? -1 : 1));
  const names = joinBounded(
    sorted.map(({ proxy }) => proxy),
    { separator: ', ', bytesMax: namesBytesMax },
  );
  const revision = refusing.reduce((latest, refusal) => Math.max(latest, refusal.revision), 0);
  const reasons = new Set(sorted.flatMap((refusal) => refusal.reasons.filter((reason) => isOwn(reason, id))));
  const elsewhere = "the reasons are in the proxies' log and in the operator's";
  const sentence = `${refusing.length} of ${total} proxies refused revision ${revision} (${names}): `;
  const [first = elsewhere, ...others] = reasons;
  return joinBounded([`${sentence}${first}`, ...others], { separator: '; ', bytesMax: messageBytesMax });
}

/** Whether a reason names the object, and nothing that could belong to another namespace. */
function isOwn(reason: string, id: string): boolean {
  if (reason.length > reasonLengthMax) return false;
  const named = reason.match(ids) ?? [];
  const namespace = id.slice(0, id.indexOf('/') + 1);
  return named.some((name) => isWithin(name, id)) && named.every((name) => name.startsWith(namespace));
}

/** A backend's id is its route's with its name. */
function isWithin(name: string, id: string): boolean {
  return name === id || name.startsWith(`${id}/`);
}
