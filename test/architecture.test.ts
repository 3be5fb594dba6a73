// The design's rules, executed. Each rule also proves on samples that it finds what it forbids, and only that.

import { describe, expect, test } from 'vitest';
import { contentRules } from './architecture/content-rules.ts';
import { importRules } from './architecture/import-rules.ts';
import { repositoryFiles } from './architecture/repository.ts';
import { sampleFiles, type Rule } from './architecture/rule.ts';
import { shapeRules } from './architecture/shape-rules.ts';

const rules: readonly Rule[] = [...importRules, ...shapeRules, ...contentRules];

describe('in the repository', () => {
  const files = repositoryFiles();

  test('there are files to judge', () => {
    expect(files.length).toBeGreaterThan(20);
  });

  for (const rule of rules) {
    test(rule.sentence, () => {
      expect(rule.check(files)).toEqual([]);
    });
  }
});

describe('the rule', () => {
  for (const rule of rules) {
    test(`"${rule.sentence}" objects to each of its bad samples and to none of the good ones`, () => {
      for (const sample of rule.bad) expect(rule.check(sampleFiles(sample)), JSON.stringify(sample)).not.toEqual([]);
      for (const sample of rule.good) expect(rule.check(sampleFiles(sample)), JSON.stringify(sample)).toEqual([]);
    });
  }
});
