// Which members and headers hold what nobody else may see, by their names.

/** What such names end with, however they are written: in lower case, without `-` and `_`. */
const secretEndings = [
  'authorization',
  'authentication',
  'apikey',
  'accesskey',
  'privatekey',
  'secretkey',
  'authkey',
  // Of API Management and Functions of Azure.
  'subscriptionkey',
  'functionskey',
  'token',
  'secret',
  'password',
  'passwd',
  'passphrase',
  'cookie',
  'credential',
  'credentials',
  'assertion',
  'jwt',
] as const;

/** Whether a header, or a member of an object, is secret by its name, whatever its value looks like. */
export function isSecretName(name: string): boolean {
  const plain = name.toLowerCase().replaceAll(/[-_]/g, '');
  return secretEndings.some((ending) => plain.endsWith(ending));
}
