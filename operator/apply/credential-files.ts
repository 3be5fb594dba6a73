// Which credentials lie in the Secret: those that go with the configuration that is about to be published, and those of
// the one before, so that every proxy finds a pair whichever of the objects it has seen. Pure.

import { credentialsName, gzippedCredentialsName } from '../../proxy/config/schema.ts';
import { ConfigTooLarge, type PackedFile } from './pack.ts';

/** What the API server takes in one Secret is 1 MiB of values; the rest is for names. */
const secretBytesMax = 1_040_000;

/**
 * The entries of the Secret, in base64. `held` are its present ones; `inForce` is the digest of the credentials that the
 * published index names, undefined if they need not be kept. Throws ConfigTooLarge.
 */
export function chooseCredentialFiles(
  file: PackedFile,
  held: Readonly<Record<string, string>>,
  inForce: string | undefined,
): Readonly<Record<string, string>> {
  if (file.bytes.length > secretBytesMax) {
    throw new ConfigTooLarge(
      `the credentials take ${file.bytes.length} bytes; ${secretBytesMax} are the most that can be published`,
    );
  }
  const files: Record<string, string> = { [file.name]: Buffer.from(file.bytes).toString('base64') };
  const previous = findPrevious(file.name, held, inForce);
  if (previous === undefined) return files;
  const [name, value] = previous;
  // Without room for both, a proxy that starts in the moment between the two writes waits for the second.
  if (file.bytes.length + Buffer.byteLength(value, 'base64') <= secretBytesMax) files[name] = value;
  return files;
}

/** Those in force; where they are the new ones, whatever else is there still. */
function findPrevious(
  name: string,
  held: Readonly<Record<string, string>>,
  inForce: string | undefined,
): readonly [string, string] | undefined {
  if (inForce === undefined) return undefined;
  const names = [credentialsName(inForce), gzippedCredentialsName(inForce)];
  const others = Object.entries(held).filter(([other]) => other !== name);
  return names.includes(name) ? others[0] : others.find(([other]) => names.includes(other));
}
