// Which credentials lie in the Secret: every index that a proxy may see finds its own.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseCredentialFiles } from '../../../operator/apply/credential-files.ts';
import { ConfigTooLarge, type PackedFile } from '../../../operator/apply/pack.ts';
import { credentialsName, gzippedCredentialsName } from '../../../proxy/config/schema.ts';
import { sha256 } from '../../support/config.ts';

const [a, b, c] = ['a', 'b', 'c'].map(sha256) as [string, string, string];

function file(digest: string, size = 8): PackedFile {
  return { name: credentialsName(digest), bytes: Buffer.alloc(size, digest) };
}

function holding(...files: readonly PackedFile[]): Readonly<Record<string, string>> {
  return Object.fromEntries(files.map(({ name, bytes }) => [name, Buffer.from(bytes).toString('base64')]));
}

function choose(next: PackedFile, held: Readonly<Record<string, string>>, inForce?: string, keepsPrevious = true) {
  return Object.keys(chooseCredentialFiles(next, held, { inForce, keepsPrevious }));
}

describe('the credentials in the Secret', () => {
  it('are the new ones alone where there were none', () => {
    expect(chooseCredentialFiles(file(a), {}, { inForce: undefined, keepsPrevious: true })).toEqual(holding(file(a)));
  });

  it('are the new ones and those in force, and none before those', () => {
    expect(choose(file(c), holding(file(a), file(b)), b)).toEqual([c, b].map(credentialsName));
    expect(choose(file(c), holding(file(b), file(a)), b, false)).toEqual([c, b].map(credentialsName));
  });

  it('are those in force and the ones before, as long as these are kept', () => {
    expect(choose(file(b), holding(file(a), file(b)), b)).toEqual([b, a].map(credentialsName));
    expect(choose(file(b), holding(file(a), file(b)), b, false)).toEqual([credentialsName(b)]);
  });

  it('may be gzipped or not, those in force too', () => {
    const gzipped = { ...file(a), name: gzippedCredentialsName(a) };
    expect(choose(file(b), holding(gzipped), a)).toEqual([credentialsName(b), gzippedCredentialsName(a)]);
  });

  it('are none of what others have put beside them', () => {
    const theirs = { 'aaa.txt': 'eA==', [`${credentialsName(a)}.bak`]: 'eA==', 'credentials-1.json': 'eA==' };
    expect(choose(file(b), { ...theirs, ...holding(file(b)) }, b)).toEqual([credentialsName(b)]);
  });

  it('are the new ones alone where there is no room for both, and too large where there is none for those', () => {
    expect(choose(file(b, 600_000), holding(file(a, 600_000)), a)).toEqual([credentialsName(b)]);
    expect(choose(file(b, 500_000), holding(file(a, 500_000)), a)).toHaveLength(2);
    expect(() => choose(file(b, 1_040_001), {})).toThrow(ConfigTooLarge);
  });

  it('never lack those that the index names, in whatever order things come', () => {
    const step = fc.record({ next: fc.constantFrom(a, b, c), keeps: fc.boolean(), indexFollows: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        let held: Readonly<Record<string, string>> = {};
        let inForce: string | undefined;
        for (const { next, keeps, indexFollows } of steps) {
          held = chooseCredentialFiles(file(next), held, { inForce, keepsPrevious: keeps });
          if (inForce !== undefined) expect(held).toHaveProperty([credentialsName(inForce)]);
          expect(held).toHaveProperty([credentialsName(next)]);
          expect(Object.keys(held).length).toBeLessThanOrEqual(2);
          if (indexFollows) inForce = next;
        }
      }),
    );
  });
});
