// Somebody else writes to what the operator has published, in ways that look whole: parts and hashes fit together, and
// are not what was compiled.

import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ConfigIndex } from '../../../proxy/config/schema.ts';
import { requiresControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { install, type Installation, type TestOperator } from '../../support/installation.ts';
import { Publication } from './published.ts';
import { Team } from './team.ts';

const plane = await requiresControlPlane();

plane.describe('what is published', () => {
  const { shared } = plane;
  let installation: Installation;
  let operator: TestOperator;
  let publication: Publication;

  beforeAll(async () => {
    installation = await install(shared);
    publication = new Publication(shared, installation);
    const team = new Team(shared, installation, await shared.newNamespace());
    operator = await installation.startOperator();
    await team.create(team.provider('own', 'http://127.0.0.1:1'), team.route('chat', ['own']));
    await team.wait('LLMRoute', 'chat', 'Accepted=True/Accepted');
  });
  afterAll(() => operator[Symbol.asyncDispose]());

  /** Writes as a person with an editor would. */
  async function edit(path: string, change: object): Promise<void> {
    await shared.request('PATCH', path, change, 'application/merge-patch+json');
  }

  function editIndex(index: ConfigIndex, differs: Partial<ConfigIndex>): Promise<void> {
    return edit(publication.indexPath, { data: { 'index.json': JSON.stringify({ ...index, ...differs }) } });
  }

  test.each([
    ['whose encoding is another', async (index: ConfigIndex) => editIndex(index, { encoding: 'gzip' })],
    [
      'whose part has another name',
      async (index: ConfigIndex) =>
        editIndex(index, { parts: index.parts.map((part) => ({ ...part, name: 'other.json' })) }),
    ],
    [
      'that fits its hash and not its digest',
      async (index: ConfigIndex) => {
        const config = JSON.stringify(await publication.config()).replace('127.0.0.1:1', '127.0.0.2:1');
        const parts = [{ name: 'config.json', sha256: createHash('sha256').update(config).digest('hex') }];
        const data = { 'index.json': JSON.stringify({ ...index, parts }), 'config.json': config };
        await edit(publication.indexPath, { data });
      },
    ],
    [
      'that holds somebody else’s credentials',
      async () => edit(publication.secretPath, { data: { 'credentials-x': 'AA==' } }),
    ],
  ])('and edited into a configuration %s is put right', async (_what, damage) => {
    const [index, secret, config] = [
      await publication.index(),
      await publication.read(publication.secretPath),
      await publication.config(),
    ];
    await damage(index);
    await delay(50);
    await eventually(
      async () => JSON.stringify(await publication.index().catch(() => '')) === JSON.stringify(index),
      3000,
    );
    expect(await publication.config()).toEqual(config);
    expect((await publication.read(publication.secretPath)).data).toMatchObject(secret.data!);
  });
});
