// What holds whatever the facts are.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { conditionReasons } from '../../../crds/conditions.ts';
import { llmKeyStatusSchema } from '../../../crds/llm-key.ts';
import { llmProviderStatusSchema } from '../../../crds/llm-provider.ts';
import { llmRouteStatusSchema } from '../../../crds/llm-route.ts';
import type { Condition, ObjectFacts } from '../../../operator/status/facts.ts';
import { decideKeyStatus } from '../../../operator/status/key-status.ts';
import { decideProviderStatus } from '../../../operator/status/provider-status.ts';
import { decideRouteStatus } from '../../../operator/status/route-status.ts';
import { sameStatus } from '../../../operator/status/same-status.ts';
import { findTransitions } from '../../../operator/status/transitions.ts';
import { arbitraryKey, arbitraryProvider, arbitraryRoute, foreign } from './arbitrary-facts.ts';

interface Subject<Facts extends ObjectFacts> {
  readonly arbitrary: fc.Arbitrary<Facts>;
  readonly decide: (facts: Facts) => { readonly conditions?: readonly Condition[] | undefined };
  readonly schema: z.ZodType;
}

/** A decision that may be asked about a whole history of one object. */
function describeKind<Facts extends ObjectFacts>(kind: string, { arbitrary, decide, schema }: Subject<Facts>): void {
  describe(`the status of an ${kind}`, () => {
    test('is always one that the API server takes', () => {
      fc.assert(
        fc.property(arbitrary, (facts) => {
          const status = decide(facts);
          expect(schema.parse(status)).toStrictEqual(status);
        }),
      );
    });

    test('gives only reasons that its conditions have, with messages of at most 1024 bytes', () => {
      fc.assert(
        fc.property(arbitrary, (facts) => {
          for (const { type, status, reason, message } of decide(facts).conditions ?? []) {
            expect(Buffer.byteLength(message)).toBeLessThanOrEqual(1024);
            expect(reasonsOf(type, status)).toContain(reason);
          }
        }),
      );
    });

    test('says nothing of another namespace', () => {
      fc.assert(
        fc.property(arbitrary, (facts) => {
          expect(JSON.stringify(decide(facts))).not.toContain(foreign);
        }),
      );
    });

    test('is the same for the same facts, in whatever order proxies answer, and once more after it is written', () => {
      fc.assert(
        fc.property(arbitrary, (facts) => {
          const status = decide(facts);
          expect(decide(structuredClone(facts))).toStrictEqual(status);
          expect(decide({ ...facts, proxies: facts.proxies.toReversed() })).toStrictEqual(status);
          const stored = JSON.parse(JSON.stringify(status)) as typeof status;
          const again = decide({ ...facts, previous: stored.conditions ?? [], now: '2030-01-01T00:00:00Z' });
          expect(again).toStrictEqual(status);
          expect(sameStatus(stored, again)).toBe(true);
        }),
      );
    });

    test('moves the time of a condition when its status changes, and only then', () => {
      fc.assert(
        fc.property(fc.array(arbitrary, { minLength: 2, maxLength: 8 }), (history) => {
          let previous: readonly Condition[] = [];
          for (const facts of history) {
            const next = decide({ ...facts, previous }).conditions ?? [];
            for (const condition of next) {
              const before = previous.find(({ type }) => type === condition.type);
              const kept = before?.status === condition.status;
              expect(condition.lastTransitionTime).toBe(kept ? before.lastTransitionTime : facts.now);
              expect(condition.observedGeneration).toBe(facts.generation);
            }
            previous = next;
          }
        }),
      );
    });

    test('is Ready exactly where nothing is False, unknown or left out, and leads to few Events', () => {
      fc.assert(
        fc.property(arbitrary, arbitrary, (facts, later) => {
          const before = decide(facts).conditions ?? [];
          const after = decide({ ...later, previous: before }).conditions ?? [];
          const others = after.filter(({ type }) => type !== 'Ready');
          const fine = others.every(({ type, status }) => status === 'True' && type !== 'PartiallyInvalid');
          expect(after.at(-1)?.type).toBe('Ready');
          expect(after.at(-1)?.status === 'True').toBe(fine);
          const transitions = findTransitions(before, after);
          expect(new Set(transitions.map(({ note }) => note)).size).toBe(transitions.length);
          expect(findTransitions(after, after)).toEqual([]);
        }),
      );
    });
  });
}

function reasonsOf(type: string, status: Condition['status']): readonly string[] {
  if (type === 'Ready' && status === 'False') {
    return [...Object.values(conditionReasons).flatMap(({ False }): readonly string[] => False), 'PartiallyInvalid'];
  }
  return Object.entries(conditionReasons).find(([name]) => name === type)?.[1][status] ?? [];
}

describeKind('LLMProvider', {
  arbitrary: arbitraryProvider,
  decide: decideProviderStatus,
  schema: llmProviderStatusSchema,
});
describeKind('LLMRoute', { arbitrary: arbitraryRoute, decide: decideRouteStatus, schema: llmRouteStatusSchema });
describeKind('LLMKey', { arbitrary: arbitraryKey, decide: decideKeyStatus, schema: llmKeyStatusSchema });
