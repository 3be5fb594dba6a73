// A team that cannot make up its mind: objects are made, changed and deleted in no order, several at once.

import type { Team } from './team.ts';

/** Names of objects; few, so that they get into each other's way. */
const namesMax = 6;

/** Makes as many changes, the same ones each time. `url`: of the providers. */
export async function changeAtRandom(
  team: Team,
  { url, changes, atOnce }: { readonly url: string; readonly changes: number; readonly atOnce: number },
): Promise<void> {
  const random = createRandom(7);
  let left = changes;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left-- > 0) await change(team, url, random).catch(ignoreConflict);
    }),
  );
}

async function change(team: Team, url: string, random: () => number): Promise<void> {
  const number = Math.floor(random() * namesMax);
  const [name, other] = [`n${number}`, `n${(number + 1) % namesMax}`];
  const attributes = { round: String(Math.floor(random() * 1000)) };
  const objects = [
    team.provider(name, url, { attributes }),
    team.provider(name, url, { attributes, credentials: { type: 'KeyPool' } }),
    team.secret(name, `secret ${Math.floor(random() * 1000)}`),
    team.upstreamKey(`up-${name}`, name, { secretRef: { name, key: 'key' } }),
    team.clientKey(name),
    team.generatedKey(`made-${name}`),
    team.route(name, [name, other]),
    team.route(name, [other]),
  ];
  const object = objects[Math.floor(random() * objects.length)]!;
  if (random() < 0.7) await team.apply(object);
  else await team.delete(object.kind, object.metadata.name);
}

/** Two at once change the same object, it is not there, or is of another type. */
function ignoreConflict(error: unknown): void {
  const { status } = error as { readonly status?: number };
  if (status !== 404 && status !== 409 && status !== 422) throw error;
}

/** Numbers from 0 to 1 that are the same each time. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}
