// A rule of the code base that a program can judge, with samples that prove that it does.

import { sourceFile, type SourceFile } from './source-file.ts';

/** A rule over the files of the repository. */
export interface Rule {
  /** What holds, as a sentence. */
  readonly sentence: string;
  /** The violations, each as `path: what is wrong`. */
  check(files: readonly SourceFile[]): string[];
  /** Sets of files, by path, each of which must be found to violate the rule. */
  readonly bad: readonly Sample[];
  /** Sets of files that must not. */
  readonly good: readonly Sample[];
}

/** File texts by path. */
export type Sample = Readonly<Record<string, string>>;

/** The files of a sample. */
export function sampleFiles(sample: Sample): SourceFile[] {
  return Object.entries(sample).map(([path, text]) => sourceFile(path, text));
}

/** Applies a judgement to each file by itself and puts the file's path before what it finds. */
export function eachFile(
  applies: (path: string) => boolean,
  judge: (file: SourceFile) => readonly string[],
): Rule['check'] {
  return (files) =>
    files.filter((file) => applies(file.path)).flatMap((file) => judge(file).map((found) => `${file.path}: ${found}`));
}

/** Whether the file is TypeScript in one of the five source folders. */
export function isCode(path: string): boolean {
  return /^(crds|operator|proxy|deploy|test)\/.*\.ts$/.test(path);
}

/** Whether the file is code that ships, not a test. */
export function isProduct(path: string): boolean {
  return isCode(path) && !path.startsWith('test/');
}

/** Whether the file may read the environment, handle signals and exit. */
export function isMain(path: string): boolean {
  return path.endsWith('/main.ts');
}
