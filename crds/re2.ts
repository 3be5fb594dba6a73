/**
 * Which patterns mean the same to JavaScript, which checks them here, and to RE2, with which the API server checks
 * them. Only constructs known to be equal pass; everything else is refused.
 */

/** RE2 refuses to repeat anything more often, because it would unroll it. */
const repeatMax = 1000;

/** Why a pattern is not portable, or undefined if it is. */
export function whyNotPortable(pattern: string): string | undefined {
  if (!pattern.startsWith('^') || !pattern.endsWith('$')) return 'no ^ and $ around it, so that it matches a part';
  for (const [construct, why] of foreign) {
    if (construct.test(pattern)) return why;
  }
  const bounds = [...pattern.matchAll(/\{([0-9]+)(?:,([0-9]*))?\}/g)].flatMap(([, low = '', high = '']) => [low, high]);
  if (bounds.some((bound) => Number(bound) > repeatMax)) return `a repeat over ${repeatMax}, which RE2 refuses`;
  return whyNotPortableClass(pattern);
}

const foreign: readonly (readonly [RegExp, string])[] = [
  [/[^ -~]/, 'a character outside ASCII'],
  [/\(\?(?!:)/, 'a look-around, a named group or a flag'],
  [/\\[A-Za-z0-9]/, 'an escape of a letter or digit, whose meaning differs'],
];

/** Walks over the pattern, because only a walk tells what stands inside brackets. */
function whyNotPortableClass(pattern: string): string | undefined {
  for (let index = 0; index < pattern.length; index += 1) {
    const rest = pattern.slice(index);
    if (rest.startsWith('\\')) index += 1;
    else if (rest.startsWith('.')) return 'a "." outside brackets, which stands for other characters in JavaScript';
    else if (rest.startsWith('[^')) return 'a negated class, which counts some characters twice in JavaScript';
    else if (rest.startsWith('[]')) return 'an empty class, which RE2 reads as the beginning of a class';
    else if (rest.startsWith('[')) {
      const [members = ''] = /^\[(\\.|[^\]\\])*\]/.exec(rest) ?? [];
      if (members === '') return 'a class without an end';
      if (members.includes('[:')) return 'a POSIX class, which JavaScript does not know';
      index += members.length - 1;
    }
  }
  return undefined;
}
