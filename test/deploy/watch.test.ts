import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { fingerprint, watchFiles } from '../../deploy/standalone/watch.ts';
import { eventually } from '../support/eventually.ts';
import { type Folder, makeFolder } from './folder.ts';

interface Rig extends Disposable {
  /** Calls so far. */
  count(): number;
  /** Waits for one more call, and then for a while that none follows. */
  next(): Promise<void>;
}

/** Watches with times that suit a test; polling is off unless asked for. */
async function watching(
  paths: readonly string[],
  { settleMs = 20, pollMs = 60_000, onChange = async (): Promise<void> => undefined } = {},
): Promise<Rig> {
  let calls = 0;
  const seen = await fingerprint(paths);
  const count = (): number => calls;
  const watch = watchFiles(
    paths,
    seen,
    async () => {
      calls += 1;
      await onChange();
    },
    { settleMs, pollMs },
  );
  // The first look sets up the watches.
  await delay(4 * settleMs);
  return {
    count,
    async next() {
      const before = calls;
      await eventually(() => calls > before);
      await delay(120);
      expect(calls).toBe(before + 1);
    },
    [Symbol.dispose]: () => watch.close(),
  };
}

const edits: readonly (readonly [string, (folder: Folder) => void])[] = [
  ['written in place', (folder) => void folder.write('a.yaml', 'two')],
  [
    'truncated and written again',
    (folder) => {
      writeFileSync(folder.at('a.yaml'), '');
      writeFileSync(folder.at('a.yaml'), 'two');
    },
  ],
  [
    'replaced by a rename',
    (folder) => {
      folder.write('.a.yaml.tmp', 'two');
      renameSync(folder.at('.a.yaml.tmp'), folder.at('a.yaml'));
    },
  ],
  [
    'moved away and written anew, as vim does',
    (folder) => {
      renameSync(folder.at('a.yaml'), folder.at('a.yaml~'));
      folder.write('a.yaml', 'two');
      rmSync(folder.at('a.yaml~'));
    },
  ],
  ['deleted', (folder) => rmSync(folder.at('a.yaml'))],
  ['joined by another', (folder) => void folder.write('b.yaml', 'two')],
  ['joined by a folder', (folder) => void folder.write('c/d.yaml', 'two')],
];

test.each(edits)('a file of a folder that is %s is noticed, once', async (_how, edit) => {
  using folder = makeFolder({ 'a.yaml': 'one' });
  using rig = await watching([folder.path]);
  edit(folder);
  await rig.next();
});

test.each(edits.slice(0, 5))('a single file that is %s is noticed, once', async (_how, edit) => {
  using folder = makeFolder({ 'a.yaml': 'one' });
  using rig = await watching([folder.at('a.yaml')]);
  edit(folder);
  await rig.next();
});

test('a ConfigMap that is swapped by its link is noticed', async () => {
  using folder = makeFolder({ '..one/a.yaml': 'one', '..two/a.yaml': 'two' });
  symlinkSync('..one', folder.at('..data'));
  symlinkSync('..data/a.yaml', folder.at('a.yaml'));
  using rig = await watching([folder.path]);
  symlinkSync('..two', folder.at('..data_tmp'));
  renameSync(folder.at('..data_tmp'), folder.at('..data'));
  await rig.next();
});

test('swap files and other names are nobody’s business', async () => {
  using folder = makeFolder({ 'a.yaml': 'one' });
  using rig = await watching([folder.path]);
  folder.write('.a.yaml.swp', 'x');
  folder.write('4913', 'x');
  folder.write('a.yaml~', 'x');
  await delay(200);
  expect(rig.count()).toBe(0);
});

test('many writes in a row are one change, when they are over', async () => {
  using folder = makeFolder({ 'a.yaml': 'one' });
  using rig = await watching([folder.path], { settleMs: 100 });
  for (let n = 0; n < 20; n += 1) {
    folder.write('a.yaml', `one ${n}`);
    await delay(5);
  }
  await rig.next();
});

test('a folder in which something happens all the time does not put off a change', async () => {
  using folder = makeFolder({ 'a.yaml': 'one' });
  using rig = await watching([folder.at('a.yaml')]);
  const noise = setInterval(() => folder.write('log.txt', String(Math.random())), 3);
  try {
    folder.write('a.yaml', 'two');
    await eventually(() => rig.count() > 0);
    expect(rig.count()).toBe(1);
  } finally {
    clearInterval(noise);
  }
});

test('without events, looking again finds the change; same size and time do not hide it', async () => {
  using folder = makeFolder({ 'real/a.yaml': 'one' });
  // Events come from the folder of the link, not from where the file is.
  symlinkSync(folder.at('real/a.yaml'), folder.at('a.yaml'));
  const then = new Date(0);
  utimesSync(folder.at('real/a.yaml'), then, then);
  using rig = await watching([folder.at('a.yaml')], { pollMs: 50 });
  folder.write('real/b.yaml', 'two');
  utimesSync(folder.at('real/b.yaml'), then, then);
  renameSync(folder.at('real/b.yaml'), folder.at('real/a.yaml'));
  await rig.next();
});

test('what changes while a change is being dealt with is found afterwards', async () => {
  using folder = makeFolder({ 'a.yaml': 'one' });
  let rounds = 0;
  using rig = await watching([folder.path], {
    onChange: async () => {
      rounds += 1;
      if (rounds === 1) folder.write('a.yaml', 'three, written meanwhile');
      await delay(30);
    },
  });
  folder.write('a.yaml', 'two');
  await eventually(() => rig.count() === 2);
  await delay(150);
  expect(rig.count()).toBe(2);
});

test('a folder that is deleted and made again is still watched', async () => {
  using folder = makeFolder({ 'sub/a.yaml': 'one' });
  using rig = await watching([folder.at('sub')], { pollMs: 100 });
  rmSync(folder.at('sub'), { recursive: true });
  await rig.next();
  mkdirSync(folder.at('sub'));
  await delay(250);
  for (const text of ['two', 'three']) {
    const before = rig.count();
    folder.write('sub/a.yaml', text);
    await eventually(() => rig.count() > before);
  }
});

test('a closed watch says nothing more', async () => {
  using folder = makeFolder({ 'a.yaml': 'one' });
  const rig = await watching([folder.path], { pollMs: 20 });
  rig[Symbol.dispose]();
  folder.write('a.yaml', 'two');
  await delay(150);
  expect(rig.count()).toBe(0);
});
