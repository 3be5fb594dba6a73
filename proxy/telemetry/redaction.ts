// Keeps credentials out of everything that is written down: whatever looks like one, and every one that is configured.
// Works on text of bounded length with patterns that cannot backtrack.

import { isSecretName } from '../canonical/secret-names.ts';

/** What stands where something was taken out. */
export const redacted = '[redacted]';

/** Text that is longer is cut: 8 KiB hold any message worth reading, and bound the work of the patterns. */
const textCharsMax = 8192;

/** The same names in running text, where fewer words are enough to make something of what follows. */
const secretNamePattern =
  '(?:proxy-)?authorization|x-api-key|x-goog-api-key|api[-_]?key|apikey|access[-_]?token|refresh[-_]?token|' +
  'session[-_]?token|client[-_]?secret|secret[-_]?access[-_]?key|password|passwd|private[-_]?key|token';

type Replacement = readonly [pattern: RegExp, replacement: string];

/** Credentials that show by themselves what they are. */
const tokenPatterns: readonly Replacement[] = [
  // Prefixes that vendors give to their keys: OpenAI, Anthropic, OpenRouter, Groq, xAI, Hugging Face, NVIDIA, GitHub.
  [/\b(?:sk|rk|pk|gsk|xai|hf|nvapi|pplx|csk|fw|tgp|r8|gh[opsu])[-_][\w-]{8,}/g, redacted],
  // Google API keys and access tokens, AWS access keys, JSON Web Tokens.
  [
    /\bAIza[\w-]{30,}|\bya29\.[\w-]{8,}|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\beyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?/g,
    redacted,
  ],
];

/** Credentials that show by what stands before them. Each needs a space, a colon or an equals sign. */
const contextPatterns: readonly Replacement[] = [
  [/\b(Bearer|Basic)\s+[\w.~+/=:-]{4,}/gi, `$1 ${redacted}`],
  // Userinfo of a URL.
  [/(\b[a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#@"']{1,512}@/gi, `$1${redacted}@`],
  [/-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]{0,8192}(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?/g, redacted],
  // `name: value`, `name=value`, `"name":"value"`; at least six characters, so that "token: none" stays readable.
  [
    new RegExp(`\\b(${secretNamePattern})(["']?\\s{0,3}[:=]\\s{0,3}["']?)(?!\\[redacted)[^\\s"',;&}\\]]{6,}`, 'gi'),
    `$1$2${redacted}`,
  ],
  [/([?&](?:key|sig|signature|code)=)[^\s"'&#]{6,}/gi, `$1${redacted}`],
  // In prose, long hex or base64: no hyphen and no slash, so that names of objects stay readable.
  [/\b((?:key|token|secret)\b[^\n]{0,24}?[\s"'`:=])(?=\w{0,64}\d)[\w+=]{24,}/gi, `$1${redacted}`],
];

/** Takes out whatever looks like a credential. Cuts what is too long to look through. */
export function scrubPatterns(text: string): string {
  let result = text.length > textCharsMax ? `${text.slice(0, textCharsMax)}…` : text;
  for (const [pattern, replacement] of tokenPatterns) result = result.replace(pattern, replacement);
  if (!/[\s:=]/.test(result)) return result;
  for (const [pattern, replacement] of contextPatterns) result = result.replace(pattern, replacement);
  return result;
}

/** Removes credentials from text: what looks like one, and every configured one. */
export interface Scrubber {
  /** The credentials in force from now on. Those before stay known until the next change: requests still use them. */
  setSecrets(values: Iterable<string>): void;
  scrub(text: string): string;
}

/** Makes a scrubber that knows no configured credentials yet. */
export function createScrubber(): Scrubber {
  let current: readonly string[] = [];
  let previous: readonly string[] = [];
  return {
    setSecrets(values) {
      previous = current;
      current = allForms(values);
    },
    scrub(text) {
      // Exact ones first: patterns could take a part of one and leave the rest.
      return scrubPatterns(scrubExact(scrubExact(text, current), previous));
    },
  };
}

/** `secrets` are sorted, longest first. */
function scrubExact(text: string, secrets: readonly string[]): string {
  const longest = secrets[0]?.length ?? 0;
  const bounded = text.slice(0, textCharsMax + longest);
  let result = bounded;
  for (const secret of secrets) if (result.includes(secret)) result = result.replaceAll(secret, redacted);
  // What was cut may end in the beginning of a credential, which nothing recognises: that much is given up too.
  return bounded.length < text.length ? `${result.slice(0, Math.max(0, result.length - longest))}…` : result;
}
const controlCharacters = /[\p{Control}\u2028\u2029]/gu;

/** What a client chose, made fit for a terminal: no control characters (JSON leaves C1 and DEL alone), bounded. */
export function printable(text: string, charsMax = 256): string {
  const cut = text.length > charsMax ? `${text.slice(0, charsMax)}…` : text;
  return cut.replace(controlCharacters, '?');
}

/** Values shorter than this are no credentials, and taking them out would make logs unreadable. */
const secretCharsMin = 6;

/** Parts of a credential are secret by themselves from here on: shorter ones are user names and regions. */
const secretPartCharsMin = 16;

/** Every form in which configured credentials may turn up, longest first. */
function allForms(values: Iterable<string>): readonly string[] {
  const forms = new Set<string>();
  for (const value of values) {
    for (const part of partsOf(value.trim())) for (const form of formsOf(part)) forms.add(form);
  }
  return [...forms].toSorted((one, other) => other.length - one.length);
}

/** A credential and the secrets inside it: members of a JSON key file, pieces of `id:secret`. */
function partsOf(value: string): readonly string[] {
  if (value.length < secretCharsMin) return [];
  const members = value.startsWith('{') ? secretMembers(value) : value.split(':');
  return [value, ...members.filter((part) => part.length >= secretPartCharsMin)];
}

function secretMembers(json: string): readonly string[] {
  try {
    const parsed: unknown = JSON.parse(json);
    if (typeof parsed !== 'object' || parsed === null) return [];
    return Object.entries(parsed).flatMap(([name, member]) =>
      typeof member === 'string' && isSecretName(name) ? [member] : [],
    );
  } catch {
    return [];
  }
}

/** As it is, inside JSON, inside a URL, and as a Kubernetes Secret holds it. */
function formsOf(value: string): readonly string[] {
  const inUrl = value.isWellFormed() ? encodeURIComponent(value) : value;
  return [value, JSON.stringify(value).slice(1, -1), inUrl, Buffer.from(value).toString('base64')];
}
