import { symlinkSync } from 'node:fs';
import { relative } from 'node:path';
import { expect, test } from 'vitest';
import { listFiles } from '../../../deploy/standalone/load/list-files.ts';
import { makeFolder } from '../folder.ts';

test('a folder gives its YAML and JSON files, those of folders inside it too, by name', async () => {
  using folder = makeFolder({ 'b.yaml': '', 'a.yml': '', 'c/d.json': '', 'c/notes.txt': '', 'e.md': '' });
  const { files, folders, problems } = await listFiles([folder.path]);
  expect(files.map((file) => relative(folder.path, file))).toEqual(['a.yml', 'b.yaml', 'c/d.json']);
  expect(folders).toEqual([folder.path, folder.at('c')]);
  expect(problems).toEqual([]);
});

test('hidden files and node_modules are passed over', async () => {
  using folder = makeFolder({ 'a.yaml': '', '.b.yaml': '', '.git/c.yaml': '', 'node_modules/d/e.yaml': '' });
  expect((await listFiles([folder.path])).files).toEqual([folder.at('a.yaml')]);
});

test('a file that is named itself may have any name', async () => {
  using folder = makeFolder({ '.hidden': '', 'notes.txt': '' });
  const paths = [folder.at('notes.txt'), folder.at('.hidden')];
  expect((await listFiles(paths)).files).toEqual(paths);
});

test('a file that two paths lead to is read once', async () => {
  using folder = makeFolder({ 'a.yaml': '', 'b.yaml': '' });
  symlinkSync(folder.at('a.yaml'), folder.at('c.yaml'));
  const { files } = await listFiles([folder.at('a.yaml'), folder.path, folder.path]);
  expect(files).toEqual([folder.at('a.yaml'), folder.at('b.yaml')]);
});

test('a mounted ConfigMap is read through its links, once', async () => {
  using folder = makeFolder({ '..2026_01_01/route.yaml': 'x: 1' });
  symlinkSync('..2026_01_01', folder.at('..data'));
  symlinkSync('..data/route.yaml', folder.at('route.yaml'));
  expect((await listFiles([folder.path])).files).toEqual([folder.at('route.yaml')]);
});

test('folders that link to each other come to an end', async () => {
  using folder = makeFolder({ 'a/a.yaml': '' });
  symlinkSync(folder.path, folder.at('a/back'));
  const { files, problems } = await listFiles([folder.path]);
  expect(files).toEqual([folder.at('a/a.yaml')]);
  expect(problems).toEqual([]);
});

test('what is not there, holds nothing, or leads nowhere is a problem of its own', async () => {
  using folder = makeFolder({ 'full/a.yaml': '', 'empty/notes.txt': '' });
  symlinkSync(folder.at('nowhere'), folder.at('full/link.yaml'));
  const { files, problems } = await listFiles([folder.at('missing.yaml'), folder.at('empty'), folder.at('full')]);
  expect(files).toEqual([folder.at('full/a.yaml')]);
  expect(problems.map(({ file, message }) => [relative(folder.path, file), message])).toEqual([
    ['missing.yaml', 'no such file or folder'],
    ['empty', 'the folder holds no .yaml, .yml or .json file'],
    ['full/link.yaml', 'no such file or folder'],
  ]);
});

test('a device is neither a file nor a folder', async () => {
  const { problems } = await listFiles(['/dev/null']);
  expect(problems.map(({ message }) => message)).toEqual(['is neither a file nor a folder']);
});

test('a folder of far too many files is cut off, and says so once', async () => {
  using folder = makeFolder(Object.fromEntries(Array.from({ length: 1010 }, (_, index) => [`${index}.yaml`, ''])));
  const { files, problems } = await listFiles([folder.path]);
  expect(files).toHaveLength(1000);
  expect(problems.map(({ message }) => message)).toEqual(['there are more than 1000 files']);
});
