import { expect, test } from 'vitest';
import { apiVersionOf, collectionPath, objectPath, type ResourceType } from '../../../operator/kube/object.ts';

const secret: ResourceType = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced: true };
const route: ResourceType = { ...secret, group: 'sluice.dev', version: 'v1alpha1', plural: 'llmroutes' };

test('addresses of kinds are those of the API server', () => {
  expect([apiVersionOf(secret), apiVersionOf(route)]).toEqual(['v1', 'sluice.dev/v1alpha1']);
  expect(collectionPath(secret)).toBe('/api/v1/secrets');
  expect(collectionPath(secret, 'a')).toBe('/api/v1/namespaces/a/secrets');
  expect(collectionPath(route, 'a')).toBe('/apis/sluice.dev/v1alpha1/namespaces/a/llmroutes');
  expect(objectPath(route, { namespace: 'a', name: 'b' }, 'status')).toBe(
    '/apis/sluice.dev/v1alpha1/namespaces/a/llmroutes/b/status',
  );
  expect(objectPath({ ...secret, plural: 'namespaces', namespaced: false }, { name: 'b' })).toBe(
    '/api/v1/namespaces/b',
  );
});

test('a name cannot lead elsewhere', () => {
  expect(objectPath(secret, { namespace: 'a/..', name: '../../pods?x=1#' })).toBe(
    '/api/v1/namespaces/a%2F../secrets/..%2F..%2Fpods%3Fx%3D1%23',
  );
});
