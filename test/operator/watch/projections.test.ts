import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../operator/kube/object.ts';
import { outputNamesOf, projectOutput, sameOutput } from '../../../operator/watch/output.ts';
import {
  projectConfigMap,
  projectGrant,
  projectNamespace,
  projectSecret,
  projectService,
  sameFacts,
} from '../../../operator/watch/projections.ts';
import { projectProxyPod } from '../../../operator/watch/proxy-pod.ts';
import { projectResource, sameResource } from '../../../operator/watch/resource.ts';

// Larger than all that is needed of an object, and nothing that the operator may act on.
const ballast = { managedFields: [{ manager: 'CANARY', fieldsV1: { 'f:spec': {} } }] };
const lastApplied = { 'kubectl.kubernetes.io/last-applied-configuration': '{"CANARY":1}' };
const metadata = { namespace: 'a', name: 'x', uid: 'u1', resourceVersion: '5', generation: 3, ...ballast };

const provider: KubeObject = {
  apiVersion: 'sluice.dev/v1alpha1',
  kind: 'LLMProvider',
  metadata: { ...metadata, creationTimestamp: '2026-01-01T00:00:00Z', annotations: lastApplied },
  spec: { type: 'OpenAI', credentials: { type: 'None' } },
};

describe('our resources', () => {
  const project = projectResource('LLMProvider', 'default');

  test('are parsed, and kept without what is nobody’s business', () => {
    const resource = project(provider);
    expect(resource).toMatchObject({ kind: 'LLMProvider', namespace: 'a', name: 'x', uid: 'u1', generation: 3 });
    expect(resource?.parsed).toMatchObject({ ok: true, resource: { spec: { className: 'default', type: 'OpenAI' } } });
    expect(JSON.stringify(resource)).not.toMatch(/CANARY|managedFields/);
  });

  test('are those of one class', () => {
    const other = { ...provider, spec: { type: 'OpenAI', className: 'other' } };
    expect(project(other)).toBeUndefined();
    expect(projectResource('LLMProvider', 'other')(other)).toMatchObject({ name: 'x' });
    expect(projectResource('LLMProvider', 'other')(provider)).toBeUndefined();
    expect(project({ metadata, kind: 'LLMProvider' })).toMatchObject({ parsed: { ok: false } });
  });

  test('that do not parse are there, with what is wrong', () => {
    const resource = project({ ...provider, spec: { type: 'NoSuchVendor' } });
    expect(resource?.parsed).toMatchObject({ ok: false });
  });

  test.each([
    ['its status', { status: { conditions: [{ type: 'Ready' }] } }, true],
    ['its version', { metadata: { ...provider.metadata, resourceVersion: '6' } }, true],
    ['who wrote what', { metadata: { ...provider.metadata, managedFields: [] } }, true],
    ['its generation', { metadata: { ...provider.metadata, generation: 4 } }, false],
    ['its identity', { metadata: { ...provider.metadata, uid: 'u2' } }, false],
    ['a label', { metadata: { ...provider.metadata, labels: { a: 'b' } } }, false],
    ['an annotation', { metadata: { ...provider.metadata, annotations: { a: 'b' } } }, false],
    ['that it is being deleted', { metadata: { ...provider.metadata, deletionTimestamp: 'now' } }, false],
  ])('with a change of %s are the same: %s', (_what, change, same) => {
    expect(sameResource(project(provider)!, project({ ...provider, ...change } as KubeObject)!)).toBe(same);
  });
});

describe('objects of Kubernetes', () => {
  const secret: KubeObject = {
    metadata: {
      ...metadata,
      labels: { 'sluice.dev/credential': 'true' },
      annotations: { ...lastApplied, mine: 'yes' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'K', name: 'n', uid: 'owner' }],
    },
    data: { key: btoa('value'), empty: '' },
  };

  test('Secrets are decoded, without what kubectl left in them', () => {
    expect(projectSecret(secret)).toEqual({
      namespace: 'a',
      name: 'x',
      uid: 'u1',
      resourceVersion: '5',
      labels: { 'sluice.dev/credential': 'true' },
      annotations: { mine: 'yes' },
      ownerUIDs: ['owner'],
      data: { key: 'value', empty: '' },
    });
    expect(projectSecret({ metadata }).data).toEqual({});
  });

  test('ConfigMaps are certificates, or nothing', () => {
    const certificate = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n';
    const data = { 'ca.crt': certificate, other: 'large'.repeat(1000) };
    expect(projectConfigMap({ metadata: { ...metadata, annotations: lastApplied }, data })).toEqual({
      namespace: 'a',
      name: 'x',
      data: { 'ca.crt': certificate },
    });
  });

  test('Services, Namespaces and ReferenceGrants are what is asked of them', () => {
    const ports = [{ port: 80, targetPort: 8080, protocol: 'TCP' }];
    expect(projectService({ metadata, spec: { ports, clusterIP: '10.0.0.1' } })).toEqual({
      namespace: 'a',
      name: 'x',
      type: 'ClusterIP',
      ports: [80],
    });
    expect(projectNamespace({ metadata: { ...metadata, labels: { l: '1' } } })).toEqual({
      name: 'x',
      labels: { l: '1' },
    });
    const from = [{ group: 'sluice.dev', kind: 'LLMRoute', namespace: 'b' }];
    const to = [{ group: 'sluice.dev', kind: 'LLMProvider' }];
    expect(projectGrant({ metadata, spec: { from, to } })).toEqual({ namespace: 'a', name: 'x', from, to });
    expect(projectGrant({ metadata })).toEqual({ namespace: 'a', name: 'x', from: [], to: [] });
  });

  test('are the same where only the version is another', () => {
    const later = { ...secret, metadata: { ...secret.metadata, resourceVersion: '6' } };
    expect(sameFacts(projectSecret(secret), projectSecret(later))).toBe(true);
    expect(sameFacts(projectSecret(secret), projectSecret({ ...later, data: { key: '' } }))).toBe(false);
  });
});

describe('published objects', () => {
  test('are named and labelled after the class', () => {
    const names = outputNamesOf('gpu');
    expect([names.index, names.secret, names.shards.length]).toEqual(['sluice-gpu', 'sluice-gpu-credentials', 8]);
    expect(names.selector).toBe('app.kubernetes.io/managed-by=sluice,sluice.dev/class=gpu');
  });

  test('are the same where they hold the same, whatever their version', () => {
    const object: KubeObject = { metadata: { ...metadata, labels: { a: 'b' } }, data: { x: '1' } };
    const output = projectOutput(object);
    const differs = (change: object): boolean =>
      sameOutput(output, projectOutput({ ...object, ...change } as KubeObject));
    expect(differs({ metadata: { ...object.metadata, resourceVersion: '6' } })).toBe(true);
    expect(differs({ metadata: { ...object.metadata, uid: 'u2' } })).toBe(false);
    expect(differs({ metadata: { ...object.metadata, labels: {} } })).toBe(false);
    expect(differs({ data: { x: '2' } })).toBe(false);
    expect(differs({ data: {} })).toBe(false);
    expect(differs({ data: { x: '1', y: '1' } })).toBe(false);
    expect(differs({ binaryData: { z: '' } })).toBe(false);
  });
});

describe('pods of proxies', () => {
  const ready = [{ type: 'Ready', status: 'True' }];
  const pod = { metadata, spec: { containers: [{ ports: [{ name: 'admin', containerPort: 9191 }] }] } };

  test('are asked at their admin port when they are ready', () => {
    expect(projectProxyPod({ ...pod, status: { podIP: '10.0.0.7', conditions: ready } })).toEqual({
      name: 'x',
      ready: true,
      admin: { host: '10.0.0.7', port: 9191 },
    });
  });

  test('are not ready while they start, and when they end', () => {
    expect(projectProxyPod({ metadata })).toEqual({ name: 'x', ready: false, admin: undefined });
    const ending = { ...pod, metadata: { ...metadata, deletionTimestamp: 'now' }, status: { conditions: ready } };
    expect(projectProxyPod(ending).ready).toBe(false);
    expect(projectProxyPod({ metadata, status: { podIP: '10.0.0.7' } }).admin?.port).toBe(9090);
  });
});
