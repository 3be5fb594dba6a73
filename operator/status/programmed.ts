// Whether proxies serve an object in its present form: known from what they answer, never from what was written for them.

import type { ObjectFacts } from './facts.ts';
import type { ProxyReport } from './proxy-report.ts';
import { describeRefusals, refusalSince } from './refusals.ts';
import { type AnyVerdict, firstOpen, type Verdict } from './verdict.ts';

type Facts = Pick<ObjectFacts, 'id' | 'generation' | 'previous' | 'publication' | 'proxies'>;

const type = 'Programmed';

// Without numbers: a proxy more or less must not write the status of every object.
const programmed: Verdict<'Programmed'> = {
  type,
  status: 'True',
  reason: 'Programmed',
  message: 'every proxy serves it in this form',
};

/** `earlier`: what has been decided about the object, to say why nothing of it is served. */
export function checkProgrammed(facts: Facts, earlier: readonly AnyVerdict[]): Verdict<'Programmed'> {
  const { publication } = facts;
  switch (publication.type) {
    case 'too-large':
      return { type, status: 'False', reason: 'ConfigTooLarge', message: publication.message };
    case 'absent':
      return pending(describeAbsence(earlier));
    case 'published':
      return checkProxies(facts, publication.since);
  }
}

function checkProxies(facts: Facts, since: number): Verdict<'Programmed'> {
  const { id, proxies } = facts;
  if (proxies.length === 0) {
    return { type, status: 'False', reason: 'NoProxies', message: 'no proxy is ready, so nothing is served' };
  }
  const behind = proxies.filter(({ revision }) => revision === undefined || revision < since);
  if (behind.length === 0 || isOnlySilence(facts, behind)) return programmed;
  const refusing = behind.map((proxy) => refusalSince(proxy, since)).filter((refusal) => refusal !== undefined);
  if (refusing.length === 0) return pending(describeProgress(proxies.length, behind));
  const message = describeRefusals(refusing, { id, total: proxies.length });
  return { type, status: 'False', reason: 'RejectedByProxy', message };
}

/**
 * Silence takes nothing back: a proxy that does not answer for a moment must not turn over every object there is. It
 * proves nothing either: what no proxy confirms is not known, and what was not known before stays so.
 */
function isOnlySilence({ generation, previous, proxies }: Facts, behind: readonly ProxyReport[]): boolean {
  const before = previous.find((condition) => condition.type === type);
  if (before?.status !== 'True' || before.observedGeneration !== generation) return false;
  return behind.length < proxies.length && behind.every(isSilent);
}

function isSilent({ revision, refusal }: ProxyReport): boolean {
  return revision === undefined && refusal === undefined;
}

function describeAbsence(earlier: readonly AnyVerdict[]): string {
  const open = firstOpen(earlier);
  if (open === undefined) return 'nothing of it is served yet: it is not in the configuration that is published';
  return `nothing of it is served: see the condition ${open.type}`;
}

function describeProgress(total: number, behind: readonly ProxyReport[]): string {
  const silent = behind.filter(isSilent).length;
  const unreadable = behind.filter(({ refusal }) => refusal !== undefined && refusal.revision === undefined).length;
  return [
    `${total - behind.length} of ${total} proxies serve it in this form`,
    ...(silent > 0 ? [`${silent} did not answer`] : []),
    ...(unreadable > 0 ? [`${unreadable} cannot read what is published`] : []),
  ].join(', ');
}

function pending(message: string): Verdict<'Programmed'> {
  return { type, status: 'Unknown', reason: 'Pending', message };
}
