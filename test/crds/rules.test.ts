import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kinds } from '../../crds/group.ts';
import { nodeArbitrary } from './arbitrary.ts';
import { compileCEL } from './cel.ts';
import { invalidFixtures, validFixtures } from './fixture.ts';
import { allRules, specNode, visits, withDefaults } from './schema-walk.ts';

const rules = allRules();
const programs = new Map(rules.map((rule) => [rule.cel, compileCEL(rule.cel)]));

describe('a rule', () => {
  test.each(rules)('is CEL that compiles: $cel', ({ cel }) => {
    expect(programs.get(cel)).toBeTypeOf('function');
  });

  test('has a message of its own', () => {
    const messages = rules.map(({ message }) => message);
    expect(new Set(messages).size).toBe(messages.length);
  });

  test('about a change is left to the API server', () => {
    const transitions = rules.filter((rule) => rule.holds === undefined);
    expect(transitions.every(({ cel }) => cel.includes('oldSelf'))).toBe(true);
    expect(rules.filter(({ cel }) => cel.includes('oldSelf'))).toEqual(transitions);
  });
});

describe('CEL and its function agree', () => {
  const messages = new Set(rules.map(({ message }) => message));
  const sound = [...validFixtures(), ...invalidFixtures().filter(({ message }) => messages.has(message))];

  test.each(sound)('on $name', ({ kind, value }) => {
    expectAgreement(kind, Reflect.get(Object(value), 'spec'));
  });

  test.each(kinds)('on any %s', (kind) => {
    fc.assert(
      fc.property(nodeArbitrary(specNode(kind)), (spec) => expectAgreement(kind, spec)),
      { numRuns: 300 },
    );
  });
});

function expectAgreement(kind: (typeof kinds)[number], spec: unknown): void {
  const node = specNode(kind);
  for (const { rule, value, cel, field } of visits(node, withDefaults(node, spec), 'spec')) {
    const verdict = programs.get(rule.cel)?.(cel);
    expect({ field, rule: rule.message, verdict }).toEqual({ field, rule: rule.message, verdict: rule.holds(value) });
  }
}
