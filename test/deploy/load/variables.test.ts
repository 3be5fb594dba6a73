import fc from 'fast-check';
import { expect, test } from 'vitest';
import { expandVariables } from '../../../deploy/standalone/load/variables.ts';

const environment = { KEY: 'sk-1', EMPTY: '', NESTED: '${KEY}' };

test.each([
  ['${KEY}', 'sk-1'],
  ['Bearer ${KEY}!', 'Bearer sk-1!'],
  ['${KEY}${KEY}', 'sk-1sk-1'],
  ['${KEY:-other}', 'sk-1'],
  ['${ABSENT:-other}', 'other'],
  ['${EMPTY:-other}', 'other'],
  ['${ABSENT:-}', ''],
  ['${EMPTY}', ''],
  ['${ABSENT:-a:-b}', 'a:-b'],
  ['$${KEY}', '${KEY}'],
  ['$KEY $ {KEY} $', '$KEY $ {KEY} $'],
  ['${NESTED}', '${KEY}'],
])('%s becomes %s', (text, expanded) => {
  expect(expandVariables(text, environment)).toEqual({ text: expanded, problems: [] });
});

test('every variable that is not set is named', () => {
  expect(expandVariables('${ONE} ${KEY} ${TWO}', environment).problems).toEqual([
    'the environment variable ONE is not set',
    'the environment variable TWO is not set',
  ]);
});

test.each(['${}', '${1A}', '${A-B}', '${A', '${A:other}', '${ KEY }'])('%s is no variable', (text) => {
  expect(expandVariables(text, environment).problems).toEqual([expect.stringMatching(/^"\$\{" must be followed by/)]);
});

test('a text without "${" stays as it is, and problems never hold values', () => {
  fc.assert(
    fc.property(fc.string(), fc.string({ minLength: 12 }), (text, secret) => {
      const { text: expanded, problems } = expandVariables(text, { KEY: secret });
      if (!text.includes('${')) expect(expanded).toBe(text);
      expect(problems.join(' ')).not.toContain(secret);
    }),
  );
});
