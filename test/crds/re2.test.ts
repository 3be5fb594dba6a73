import { describe, expect, test } from 'vitest';
import { whyNotPortable } from '../../crds/re2.ts';

describe('a pattern means the same to JavaScript and to RE2', () => {
  test.each(['^a$', '^[-a-z.]{1,63}$', '^(a|b)*[.]c$', '^a\\.b$', '^(?:a)+$', '^[[]x]$', "^[$&'()*+]?$", '^a{1000}$'])(
    '%s',
    (pattern) => {
      expect(whyNotPortable(pattern)).toBeUndefined();
    },
  );
});

describe('a pattern is refused that', () => {
  test.each([
    ['a', 'no ^ and $'],
    ['^(?=a)b$', 'a look-around'],
    ['^(?<name>a)$', 'a named group'],
    ['^(?i)a$', 'a flag'],
    ['^(a)\\1$', 'an escape of a letter or digit'],
    ['^\\d$', 'an escape of a letter or digit'],
    ['^a.b$', '"." outside brackets'],
    ['^[^a]$', 'a negated class'],
    ['^[]a]$', 'an empty class'],
    ['^[[:alpha:]]$', 'a POSIX class'],
    ['^[a$', 'a class without an end'],
    ['^a{1001}$', 'a repeat over 1000'],
    ['^ü$', 'a character outside ASCII'],
  ])('is %s: it has %s', (pattern, why) => {
    expect(whyNotPortable(pattern)).toContain(why);
  });
});
