// Which credentials lie in the Secret: those that go with the configuration that is about to be published, and those of
// the one before, so that every proxy finds a pair whichever of the objects it has seen. Pure.

import { credentialsName, gzippedCredentialsName } from '../../proxy/config/schema.ts';
import { ConfigTooLarge, type PackedFile } from './pack.ts';

/** What the API server takes in one Secret is 1 MiB of values; the rest is for names. */
const secretBytesMax = 1_040_000;

/** What a Secret of ours has besides the new credentials. */
export interface Kept {
  /** Digest of the credentials that the published index names; undefined if there is none. They always stay. */
  readonly inForce: string | undefined;
  /** Whether those before them stay too. */
  readonly keepsPrevious: boolean;
}

/** The entries of the Secret, in base64. `held` are its present ones. Throws ConfigTooLarge. */
export function chooseCredentialFiles(
  file: PackedFile,
  held: Readonly<Record<string, string>>,
  kept: Kept,
): Readonly<Record<string, string>> {
  if (file.bytes.length > secretBytesMax) {
    throw new ConfigTooLarge(
      `the credentials take ${file.bytes.length} bytes; ${secretBytesMax} are the most that can be published`,
    );
  }
  const files: Record<string, string> = { [file.name]: Buffer.from(file.bytes).toString('base64') };
  const previous = findPrevious(file.name, held, kept);
  if (previous === undefined) return files;
  const [name, value] = previous;
  // Without room for both, a proxy that starts in the moment between the two writes waits for the second.
  if (file.bytes.length + Buffer.byteLength(value, 'base64') <= secretBytesMax) files[name] = value;
  return files;
}

/** What others put beside them is theirs. */
const ownFile = /^credentials-[0-9a-f]{64}\.json(\.gz)?$/;

/** Those in force; where they are the new ones, the ones before. */
function findPrevious(
  name: string,
  held: Readonly<Record<string, string>>,
  { inForce, keepsPrevious }: Kept,
): readonly [string, string] | undefined {
  if (inForce === undefined) return undefined;
  const names = [credentialsName(inForce), gzippedCredentialsName(inForce)];
  const others = Object.entries(held).filter(([other]) => other !== name && ownFile.test(other));
  if (names.includes(name)) return keepsPrevious ? others[0] : undefined;
  return others.find(([other]) => names.includes(other));
}
