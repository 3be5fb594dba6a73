// Our own resources as the operator keeps them.

import { expect, test } from 'vitest';
import { projectResource } from '../../../operator/watch/resource.ts';

const ready = {
  type: 'Ready',
  status: 'True',
  observedGeneration: 3,
  lastTransitionTime: '2026-11-27T12:00:00Z',
  reason: 'Ready',
  message: 'it is in order, and every proxy serves it',
};

function withStatus(status: unknown) {
  const metadata = { namespace: 'team', name: 'own', uid: 'a', generation: 3, resourceVersion: '7' };
  const object = { apiVersion: 'sluice.dev/v1alpha1', kind: 'LLMProvider', metadata, spec: { type: 'OpenAI' }, status };
  return projectResource('LLMProvider', 'default')(object);
}

test('a resource has the conditions that are stored', () => {
  expect(withStatus({ conditions: [ready] })?.conditions).toEqual([ready]);
});

test('one condition in another form costs the others nothing', () => {
  expect(withStatus({ conditions: [{ type: 'Odd' }, 7, ready] })?.conditions).toEqual([ready]);
});

test.each([undefined, {}, { conditions: 'none' }, 'odd'])('a status such as %j has no conditions', (status) => {
  expect(withStatus(status)?.conditions).toEqual([]);
});
