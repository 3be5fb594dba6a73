// What the compiler says about objects never gets lost on its way into their statuses.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compile } from '../../../operator/compile/compile.ts';
import type { Diagnostic } from '../../../operator/compile/diagnostic.ts';
import type { Condition } from '../../../operator/status/facts.ts';
import { decideKeyStatus } from '../../../operator/status/key-status.ts';
import { decideProviderStatus } from '../../../operator/status/provider-status.ts';
import { decideRouteStatus } from '../../../operator/status/route-status.ts';
import { arbitraryWorld } from '../compile/arbitrary-world.ts';
import { keyFacts, providerFacts, routeFacts } from './facts-of.ts';

type Kind = Diagnostic['kind'];

const decide: Readonly<Record<Kind, (diagnostics: readonly Diagnostic[]) => readonly Condition[]>> = {
  LLMProvider: (diagnostics) => conditionsOf(decideProviderStatus(providerFacts({ diagnostics }))),
  LLMRoute: (diagnostics) => conditionsOf(decideRouteStatus(routeFacts({ diagnostics }))),
  LLMKey: (diagnostics) => conditionsOf(decideKeyStatus(keyFacts({ diagnostics }))),
};

function conditionsOf({ conditions = [] }: { readonly conditions?: unknown }): readonly Condition[] {
  return conditions as readonly Condition[];
}

test('an object that the compiler has anything to say about is not Ready, and says the first of it', () => {
  fc.assert(
    fc.property(arbitraryWorld, (world) => {
      const { diagnostics } = compile(world);
      const objects = Map.groupBy(diagnostics, ({ kind, namespace, name }) => `${kind} ${namespace}/${name}`);
      for (const found of objects.values()) {
        const [first] = found;
        if (first === undefined) continue;
        const conditions = decide[first.kind](found);
        const ready = conditions.find(({ type }) => type === 'Ready');
        expect(ready?.status).not.toBe('True');
        expect(
          conditions.some(({ message }) => message.includes(first.message)) || first.reason === 'NoUsableKey',
        ).toBe(true);
        for (const { condition, extent } of found) {
          const told = conditions.find(({ type }) => type === condition);
          const partial = condition === 'Accepted' && extent === 'part';
          expect(told?.status === 'True', condition).toBe(partial);
        }
        const left = found.some(({ extent }) => extent === 'part');
        expect(conditions.some(({ type }) => type === 'PartiallyInvalid')).toBe(left);
      }
    }),
  );
});
