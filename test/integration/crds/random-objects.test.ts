// `CRD_OBJECTS=10000 npm test -- --project kube test/integration/crds/random-objects` asks about more of them;
// `CRD_SEED=…` about those of an earlier run.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { kindDefinitions } from '../../../crds/definition.ts';
import { toCustomResourceDefinition } from '../../../crds/generate.ts';
import { type Kind, kinds } from '../../../crds/group.ts';
import type { SchemaNode } from '../../../crds/schema-node.ts';
import { nodeArbitrary } from '../../crds/arbitrary.ts';
import { validFixtures } from '../../crds/fixture.ts';
import { specNode } from '../../crds/schema-walk.ts';
import { requiresControlPlane } from '../../support/control-plane.ts';
import { damaged } from './damage.ts';
import { grafted } from './graft.ts';
import { collectionPath, objectOf, serverVerdict, type Verdict, verdictOf, zodVerdict } from './verdict.ts';

const objects = Number(process.env['CRD_OBJECTS'] ?? 300);
const seed = Number(process.env['CRD_SEED'] ?? Date.now() % 2 ** 31);
/** Enough to keep two cores busy on both sides of the socket. */
const inFlight = 8;
const statusesPerKind = 60;
/** A disagreement is shown with its object; the first few say enough. */
const shownMax = 5;

const plane = await requiresControlPlane();

plane.describe('zod and the API server agree', () => {
  test.each(kinds)('on any %s', { timeout: 30_000 + objects * 20 }, async (kind) => {
    const specs = fc.sample(specsOf(kind), { numRuns: Math.ceil(objects / kinds.length), seed });
    const verdicts = await compare(specs, async (spec) => {
      const object = objectOf(kind, spec);
      return { zod: zodVerdict(kind, object), server: await serverVerdict(plane.shared, kind, object) };
    });
    expectAgreement(verdicts);
    // Neither side gets by with one verdict for all.
    const accepted = verdicts.filter(({ server }) => server.ok).length / verdicts.length;
    expect(accepted).toBeGreaterThan(0.1);
    expect(accepted).toBeLessThan(0.9);
  });

  test.each(kindDefinitions)('on any status of an $kind', async (definition) => {
    const [sound] = validFixtures().filter(({ kind }) => kind === definition.kind);
    const namespace = await plane.shared.newNamespace();
    const path = collectionPath(definition.kind, namespace);
    const object = objectOf(definition.kind, Reflect.get(Object(sound?.value), 'spec'), namespace);
    const stored = await plane.shared.request<object>('POST', path, object);
    const statuses = fc.sample(nodeArbitrary(statusNode(definition)), { numRuns: statusesPerKind, seed });
    const verdicts = await compare(statuses, async (status) => {
      const { error } = definition.status.safeParse(status);
      const call = plane.shared.request('PUT', `${path}/a/status?dryRun=All&fieldValidation=Strict`, {
        ...stored,
        status,
      });
      return { zod: error ? { ok: false, why: error.message } : { ok: true }, server: await verdictOf(call) };
    });
    expectAgreement(verdicts);
  });
});

function statusNode(definition: (typeof kindDefinitions)[number]): SchemaNode {
  const { spec } = toCustomResourceDefinition(definition) as {
    spec: { versions: [{ schema: { openAPIV3Schema: { properties: { status: SchemaNode } } } }] };
  };
  return spec.versions[0].schema.openAPIV3Schema.properties.status;
}

/** Mostly near to what people write, where most is decided by the last detail. */
function specsOf(kind: Kind): fc.Arbitrary<unknown> {
  const node = specNode(kind);
  const written = validFixtures()
    .filter((fixture) => fixture.kind === kind)
    .map(({ value }): unknown => Reflect.get(Object(value), 'spec'));
  const near = grafted(node, written);
  return fc.oneof(
    { weight: 5, arbitrary: near },
    { weight: 2, arbitrary: damaged(fc.constantFrom(...written)) },
    { weight: 2, arbitrary: damaged(near) },
    { weight: 1, arbitrary: nodeArbitrary(node) },
  );
}

interface Verdicts {
  readonly zod: Verdict;
  readonly server: Verdict;
}

async function compare(values: readonly unknown[], judge: (value: unknown) => Promise<Verdicts>) {
  const verdicts: (Verdicts & { readonly value: unknown })[] = [];
  const waiting = values.values();
  const worker = async (): Promise<void> => {
    for (const value of waiting) verdicts.push({ value, ...(await judge(value)) });
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return verdicts;
}

function expectAgreement(verdicts: readonly Verdicts[]): void {
  const different = verdicts.filter(({ zod, server }) => zod.ok !== server.ok);
  expect(different.slice(0, shownMax), `${different.length} of ${verdicts.length}, CRD_SEED=${seed}`).toEqual([]);
}
