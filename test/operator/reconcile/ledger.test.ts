// Since when an object is published in its present form: what "Programmed" is decided from.

import { beforeEach, describe, expect, it } from 'vitest';
import { Ledger, splitKey } from '../../../operator/reconcile/ledger.ts';
import type { Resource } from '../../../operator/watch/resource.ts';
import type { Diagnostic } from '../../../operator/compile/diagnostic.ts';
import {
  clientKey,
  type ConfigPair,
  configOf,
  provider,
  route,
  ruleInOrder,
  upstreamKey,
} from '../../support/config.ts';

const resources = [{ kind: 'LLMProvider', namespace: 'default', name: 'one', generation: 4 }] as unknown as Resource[];

function pairWith(secret: string, path = '/chat'): ConfigPair {
  return configOf({
    providers: [provider('one', 'https://one.example')],
    routes: [route('chat', [ruleInOrder(['one'])], { path })],
    upstreamKeys: [upstreamKey('up', 'one', secret)],
    clientKeys: [clientKey('app', 'of the app')],
  });
}

describe('the ledger', () => {
  let ledger: Ledger;

  beforeEach(() => {
    ledger = new Ledger();
  });

  function record({ config, credentials }: ConfigPair, diagnostics: readonly Diagnostic[] = []): number {
    ledger.record(resources, { config, credentials, diagnostics }, { type: 'published', config });
    return config.revision;
  }

  function since(key: Parameters<Ledger['publicationOf']>[0]): number | string {
    const publication = ledger.publicationOf(key);
    return publication.type === 'published' ? publication.since : publication.type;
  }

  it('dates each object from the revision in which it has changed last', () => {
    const first = record(pairWith('a'));
    expect(since('LLMRoute default/chat')).toBe(first);
    const second = record(pairWith('a', '/other'));
    expect(since('LLMRoute default/chat')).toBe(second);
    expect(since('LLMProvider default/one')).toBe(first);
    expect(since('LLMKey default/up')).toBe(first);
  });

  it('counts the credential of a key as part of it, and of nothing else', () => {
    const first = record(pairWith('a'));
    const second = record(pairWith('b'));
    expect(since('LLMKey default/up')).toBe(second);
    expect(since('LLMKey default/app')).toBe(first);
    expect(since('LLMProvider default/one')).toBe(first);
  });

  it('knows nothing of what is not there, and forgets what has gone', () => {
    expect(since('LLMRoute default/chat')).toBe('absent');
    record(pairWith('a'));
    record({ ...configOf({ providers: [], routes: [] }) });
    expect(since('LLMRoute default/chat')).toBe('absent');
  });

  it('says too-large of what has changed, and of nothing that is in force', () => {
    const first = record(pairWith('a'));
    const { config, credentials } = pairWith('a', '/larger');
    ledger.record(resources, { config, credentials, diagnostics: [] }, { type: 'too-large', message: 'by far' });
    expect(ledger.publicationOf('LLMRoute default/chat')).toEqual({ type: 'too-large', message: 'by far' });
    expect(since('LLMProvider default/one')).toBe(first);
    expect(ledger.config?.revision).toBe(first);
    const third = record(pairWith('a'));
    // It was never away.
    expect([since('LLMRoute default/chat'), since('LLMProvider default/one')]).toEqual([first, first]);
    expect(ledger.config?.revision).toBe(third);
  });

  it('says nothing of a new form that could not be published for other reasons', () => {
    const first = record(pairWith('a'));
    const { config, credentials } = pairWith('a', '/next');
    ledger.record(resources, { config, credentials, diagnostics: [] }, { type: 'failed' });
    expect([since('LLMRoute default/chat'), since('LLMProvider default/one')]).toEqual(['absent', first]);
  });

  it('takes over what an earlier process has published', () => {
    const { config, credentials } = pairWith('a');
    ledger.adopt(config, credentials);
    expect(since('LLMRoute default/chat')).toBe(config.revision);
    // Unchanged: the publisher keeps the revision.
    record({ config, credentials });
    expect(since('LLMRoute default/chat')).toBe(config.revision);
  });

  it('knows which generation was compiled, and what is wrong with each object', () => {
    const wrong = { kind: 'LLMProvider', namespace: 'default', name: 'one', message: 'no' } as unknown as Diagnostic;
    record(pairWith('a'), [wrong, wrong]);
    expect(ledger.generationOf('LLMProvider default/one')).toBe(4);
    expect(ledger.generationOf('LLMRoute default/chat')).toBeUndefined();
    expect(ledger.diagnosticsOf('LLMProvider default/one')).toEqual([wrong, wrong]);
    expect(ledger.diagnosticsOf('LLMRoute default/chat')).toEqual([]);
  });

  it('reads keys of objects, and of nothing else', () => {
    expect(splitKey('LLMRoute team/chat')).toEqual({ kind: 'LLMRoute', id: 'team/chat' });
    expect(splitKey('Secret team/chat')).toBeUndefined();
    expect(splitKey('')).toBeUndefined();
  });
});
