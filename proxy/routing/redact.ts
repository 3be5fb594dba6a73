// Takes out of an upstream's sentence what clients must not see: credentials, account ids, addresses. The classifier
// applies it to the only upstream texts that ever reach a client, those about the client's own faults.

/** What stands in the place of everything taken out. */
export const redacted = '[redacted]';

/** Shorter strings are no secrets, and replacing them would only mangle words. */
const secretCharsMin = 6;

// Each pattern is linear: no two adjacent quantifiers can match the same character, and a look-behind keeps long runs
// from being scanned again from each of their characters.
const patterns: readonly RegExp[] = [
  // Addresses, with everything that hangs on them (query strings carry keys).
  /\b[a-z][a-z0-9+.-]{1,15}:\/\/[^\s"'`<>]+/gi,
  /(?<![\w.-])(?:[\w-]+\.)+(?:svc|internal|intranet|local|localdomain|lan|corp)\b(?:\.[\w-]+)*(?::\d{1,5})?/gi,
  /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?![\w.])/g,
  // Authorization values.
  /\bbearer\s+[\w.~+/=*-]{6,}/gi,
  /\bbasic\s+[\w+/]{16,}={0,2}/gi,
  // Keys by their vendors' prefixes, also where the vendor has masked the middle (`sk-ab***yz`), and account ids.
  /(?<![a-z0-9])(?:sk|pk|rk|gsk|csk|xai|hf|nvapi|fw|tgp|r8|ghp)[-_][\w*-]{8,}/gi,
  /(?<![a-z0-9])(?:org|proj)[-_][\w*-]{12,}/gi,
  /(?<!\w)(?:AIza|ya29\.|AKIA|ASIA|eyJ)[\w.*-]{8,}/g,
  // Anything that is introduced as a secret or as an account.
  /\b(?:api[ _-]?key(?: provided)?|(?:access|auth|secret)[ _-]?(?:key|token)|password|secret|team|organi[sz]ation|project|account)(?: id)?["']?\s?[:=]\s?["'`]?[\w.~+/=*-]{6,}/gi,
];

/**
 * The text without secrets. `hide` are strings that must not appear whatever they look like: the credential that the
 * attempt was sent with, the upstream's host.
 */
export function redact(text: string, hide: readonly string[] = []): string {
  let clean = text;
  for (const secret of hide) {
    if (secret.length >= secretCharsMin) clean = clean.replaceAll(secret, redacted);
  }
  for (const pattern of patterns) clean = clean.replace(pattern, redacted);
  return clean;
}
