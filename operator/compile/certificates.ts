// Certificates of authorities that a provider names: read from a ConfigMap or Secret, checked, and freed of all else.

import { X509Certificate } from 'node:crypto';
import type { LLMProvider } from '../../crds/llm-provider.ts';
import { notResolved, type Report } from './diagnostic.ts';
import type { Facts } from './facts.ts';
import { resolveConfigMapEntry, resolveSecretEntry } from './references.ts';

const field = 'spec.tls.caCertificateRef';

/** The bundle of all public authorities is about 230 KB; every provider's own travels in the configuration. */
const bundleLengthMax = 262_144;

const certificate = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]*-----END CERTIFICATE-----/g;

/** The certificates in PEM form; undefined if there is no reference, or a broken one, which is reported. */
export function resolveCertificates({ metadata, spec }: LLMProvider, facts: Facts, report: Report): string | undefined {
  const ref = spec.tls?.caCertificateRef;
  if (ref === undefined) return undefined;
  const resolve = ref.kind === 'Secret' ? resolveSecretEntry : resolveConfigMapEntry;
  const text = resolve(facts, metadata.namespace, ref, field, report);
  if (text === undefined) return undefined;
  // Only certificates: an entry may also hold the private key that belongs to one, and the configuration is no secret.
  const found = text.match(certificate) ?? [];
  if (text.length <= bundleLengthMax && found.length > 0 && found.every(isCertificate)) return `${found.join('\n')}\n`;
  const message = `entry "${ref.key}" of ${ref.kind} "${ref.name}" must hold certificates in PEM form, at most ${bundleLengthMax} characters`;
  report(notResolved('SecretKeyMissing', `${field}.key`, message));
  return undefined;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
