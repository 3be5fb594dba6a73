import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../operator/kube/object.ts';
import { idOf, Store } from '../../../operator/watch/cache.ts';

interface Kept {
  readonly name: string;
  readonly value: unknown;
}

/** An object of a version; `value` is all that is kept of it. */
function object(id: string, version: number, value: unknown = id): KubeObject {
  const [first = '', second] = id.split('/');
  const named = second === undefined ? { name: first } : { namespace: first, name: second };
  return { metadata: { ...named, resourceVersion: String(version) }, value };
}

/** A store, and what its listeners were told: `+id`, `-id`, `~id`. */
function makeStore(): { readonly store: Store<Kept>; readonly told: string[]; take: () => string[] } {
  const store = new Store<Kept>({
    project: ({ metadata, value }) => (value === 'foreign' ? undefined : { name: metadata.name, value }),
    same: (one, other) => one.value === other.value,
  });
  const told: string[] = [];
  store.onChange((id, after, before) => {
    if (id === '') told.push('kind');
    else told.push(`${before === undefined ? '+' : after === undefined ? '-' : '~'}${id}`);
  });
  return { store, told, take: () => told.splice(0) };
}

function idsIn(store: Store<Kept>): string[] {
  return store.list().map(({ name }) => name);
}

describe('a store', () => {
  test('is synced when every part has been listed once', () => {
    const { store } = makeStore();
    const [one, two] = [store.scope('a'), store.scope('b')];
    expect([store.synced(), one.state()]).toEqual([false, 'starting']);
    one.replace([], '5');
    expect([store.synced(), one.state()]).toEqual([false, 'synced']);
    two.markAbsent();
    expect([store.synced(), store.absent(), two.state()]).toEqual([true, false, 'absent']);
    one.markAbsent();
    expect([store.synced(), store.absent()]).toEqual([true, true]);
  });

  test('holds what is put, until it is removed', () => {
    const { store, take } = makeStore();
    const sink = store.scope(undefined);
    sink.put(object('a/x', 1));
    sink.put(object('a/x', 2, 'changed'));
    expect(store.get('a/x')).toEqual({ name: 'x', value: 'changed' });
    sink.remove(object('a/x', 3));
    expect(store.get('a/x')).toBeUndefined();
    expect(take()).toEqual(['+a/x', '~a/x', '-a/x']);
    sink.remove(object('a/x', 4));
    expect(take()).toEqual([]);
  });

  test('tells of real changes only', () => {
    const { store, take } = makeStore();
    const sink = store.scope(undefined);
    sink.replace([object('x', 1), object('y', 1)], '1');
    expect(take()).toEqual(['+x', '+y']);
    sink.put(object('x', 2, 'x'));
    sink.replace([object('x', 2), object('y', 1)], '3');
    expect(take()).toEqual([]);
    sink.replace([object('x', 2, 'new'), object('z', 4)], '4');
    expect(take()).toEqual(['~x', '+z', '-y']);
  });

  test('takes what is of another class for nothing', () => {
    const { store, take } = makeStore();
    const sink = store.scope(undefined);
    sink.put(object('x', 1, 'foreign'));
    sink.put(object('x', 2, 'foreign'));
    sink.remove(object('x', 3));
    sink.replace([object('x', 4, 'foreign')], '4');
    expect([take(), idsIn(store)]).toEqual([[], []]);
    sink.put(object('x', 5, 'ours'));
    sink.put(object('x', 6, 'foreign'));
    expect(take()).toEqual(['+x', '-x']);
  });

  test('prefers the newer form, whichever comes first', () => {
    const { store, take } = makeStore();
    const sink = store.scope(undefined);
    sink.replace([object('x', 5, 'old')], '5');
    store.learn(object('x', 9, 'own'));
    sink.put(object('x', 7, 'between'));
    sink.remove(object('x', 8));
    expect(store.get('x')?.value).toBe('own');
    sink.put(object('x', 9, 'own'));
    expect(take()).toEqual(['+x', '~x']);
  });

  test('keeps what was made anew when it hears of an earlier end', () => {
    const { store } = makeStore();
    const sink = store.scope(undefined);
    store.learn(object('x', 12, 'new'));
    sink.remove(object('x', 11));
    expect(store.get('x')?.value).toBe('new');
    sink.remove(object('x', 13));
    expect(store.get('x')).toBeUndefined();
  });

  test('does not learn what was deleted before the answer to the write came', () => {
    const { store, take } = makeStore();
    const sink = store.scope('a');
    sink.replace([object('a/x', 5)], '5');
    sink.remove(object('a/x', 11));
    store.learn(object('a/x', 10, 'own'));
    expect(idsIn(store)).toEqual([]);
    expect(take()).toEqual(['+a/x', '-a/x']);
    // A list says as much.
    sink.put(object('a/x', 12));
    sink.replace([], '20');
    store.learn(object('a/x', 19, 'own'));
    expect(idsIn(store)).toEqual([]);
    store.learn(object('a/x', 21, 'own'));
    expect(idsIn(store)).toEqual(['x']);
  });

  test('keeps what was written after the list was made', () => {
    const { store } = makeStore();
    const sink = store.scope(undefined);
    sink.replace([object('x', 5), object('y', 5)], '6');
    store.learn(object('x', 9, 'own'));
    store.learn(object('z', 8, 'own'));
    sink.replace([object('x', 5), object('y', 5)], '7');
    expect([store.get('x')?.value, store.get('z')?.value]).toEqual(['own', 'own']);
    sink.replace([object('y', 5)], '9');
    expect(idsIn(store)).toEqual(['y']);
  });

  test('takes a list page by page, and believes it when it is whole', () => {
    const { store, take } = makeStore();
    const sink = store.scope(undefined);
    sink.replace([object('x', 1), object('y', 1)], '1');
    take();
    const listing = sink.startList();
    listing.add([object('z', 3)]);
    expect([idsIn(store), sink.state(), take()]).toEqual([['x', 'y'], 'synced', []]);
    listing.add([object('y', 2, 'new')]);
    listing.end('4');
    expect(take()).toEqual(['+z', '~y', '-x']);
  });

  test('gives each part to its own reflector', () => {
    const { store, take } = makeStore();
    const [one, two] = [store.scope('a'), store.scope('b')];
    one.replace([object('a/x', 1), object('a/y', 1)], '1');
    two.replace([object('b/x', 2)], '2');
    take();
    one.replace([object('a/y', 1)], '9');
    expect(take()).toEqual(['-a/x']);
    two.markAbsent();
    expect(take()).toEqual(['-b/x']);
    expect(idsIn(store)).toEqual(['y']);
    // What one part has seen says nothing of the other.
    store.learn(object('b/z', 3));
    expect(take()).toEqual(['+b/z']);
  });

  test('begins anew where versions do, as in a cluster that was restored', () => {
    const { store, take } = makeStore();
    const sink = store.scope(undefined);
    sink.replace([object('x', 1000), object('y', 1000), object('z', 900, 'same')], '1000');
    store.learn(object('w', 1005));
    take();
    sink.replace([object('x', 20, 'restored'), object('z', 10, 'same')], '30');
    expect(take()).toEqual(['~x', '-y', '-w']);
    sink.put(object('x', 31, 'newer'));
    sink.remove(object('z', 32));
    expect(take()).toEqual(['~x', '-z']);
  });

  test('says that a kind has come or gone, also where there is nothing of it', () => {
    const { store, take } = makeStore();
    const sink = store.scope(undefined);
    sink.markAbsent();
    expect(take()).toEqual(['kind']);
    sink.replace([], '5');
    expect(take()).toEqual(['kind']);
    sink.replace([], '6');
    expect(take()).toEqual([]);
    sink.put(object('x', 7));
    sink.markAbsent();
    expect(take()).toEqual(['+x', '-x', 'kind']);
  });

  test('names objects by namespace and name', () => {
    expect([idOf({ namespace: 'a', name: 'b' }), idOf({ name: 'b' })]).toEqual(['a/b', 'b']);
  });
});

// One object is what all of it is about: it is made, changed and deleted, and news of that comes by two ways, each in its
// own order and neither knowing of the other: the watch, which may be cut and resumed or listed anew, and answers to writes.
test('a store ends up with what there is, in whatever order watch and answers come', () => {
  const step = fc.record({
    action: fc.constantFrom('write', 'delete', 'relist'),
    own: fc.boolean(),
    answerAfter: fc.nat(6),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
      const { store } = makeStore();
      const sink = store.scope(undefined);
      sink.replace([], '1');
      let version = 1;
      let stored: KubeObject | undefined;
      const answers: { readonly dueAt: number; readonly answer: KubeObject }[] = [];
      const learnDue = (now: number): void => {
        for (const { dueAt, answer } of answers) if (dueAt === now) store.learn(answer);
      };
      steps.forEach(({ action, own, answerAfter }, now) => {
        version += 1;
        if (action === 'write') {
          stored = object('x', version, version);
          if (own) answers.push({ dueAt: now + answerAfter, answer: stored });
          if (own && answerAfter === 0) learnDue(now);
          sink.put(stored);
        } else if (action === 'delete' && stored !== undefined) {
          stored = undefined;
          sink.remove(object('x', version));
        } else {
          sink.replace(stored === undefined ? [] : [stored], String(version));
        }
        learnDue(now);
      });
      for (let now = steps.length; now < steps.length + 7; now += 1) learnDue(now);
      expect(store.get('x')?.value).toBe(stored?.['value']);
    }),
    { numRuns: 2000 },
  );
});
