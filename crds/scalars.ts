/**
 * The scalar types that fields are made of. Patterns are RE2-safe and match ASCII only, so that JavaScript and the
 * API server (Go) agree on them; lengths of free text are counted in code points, as the API server counts them.
 */
import { z } from 'zod';
import { type Rule, withRules } from './rule.ts';

/** A DNS-1123 label is at most 63 octets (RFC 1035, section 2.3.4). */
const labelLengthMax = 63;
/** A DNS-1123 subdomain, the form of most object names, is at most 253 octets. */
const subdomainLengthMax = 253;
/** The longest URL that proxies and browsers in the wild still agree on. */
const urlLengthMax = 2048;
/** Bedrock ARNs and fine-tuned model names reach about 200 characters. */
const modelNameLengthMax = 256;

const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const dnsSubdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const labelValue = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** Lengths of a string, in code points. */
export interface TextBounds {
  readonly min?: number;
  readonly max: number;
}

/** Free text of bounded length. */
export function text({ min = 0, max }: TextBounds) {
  return z
    .string()
    .refine((value) => codePoints(value) >= min, {
      error: `must have at least ${min} characters`,
      params: { serverCheck: 'minLength' },
    })
    .refine((value) => codePoints(value) <= max, {
      error: `must have at most ${max} characters`,
      params: { serverCheck: 'maxLength' },
    })
    .meta({ minLength: min, maxLength: max });
}

/** A string of bounded length that matches a pattern; `expected` completes the sentence "must be …". */
export function patterned(pattern: RegExp, max: number, expected: string) {
  return z
    .string()
    .max(max)
    .regex(pattern, { error: `must be ${expected}` });
}

/** An integer between two bounds, both included. */
export function integer(min: number, max: number) {
  return z.int().min(min).max(max);
}

/** A count without a natural upper bound: int64 within what JavaScript holds exactly. */
export function count(min: number) {
  return integer(min, Number.MAX_SAFE_INTEGER);
}

/** A name inside one object (rule, backend, budget): a DNS label. */
export function label() {
  return patterned(
    dnsLabel,
    labelLengthMax,
    'lower-case letters, digits and "-", beginning and ending with a letter or digit',
  );
}

/** The name of another object. */
export function objectName() {
  return patterned(dnsSubdomain, subdomainLengthMax, 'the name of an object: lower-case letters, digits, "-" and "."');
}

/** The name of a namespace. */
export function namespaceName() {
  return patterned(dnsLabel, labelLengthMax, 'the name of a namespace: lower-case letters, digits and "-"');
}

/** A value that could be a label value, and must not be empty. */
export function labelText() {
  return patterned(
    labelValue,
    labelLengthMax,
    'letters, digits, "-", "_" and ".", beginning and ending with a letter or digit',
  );
}

/** A key of a ConfigMap or Secret. */
export function dataKey() {
  return patterned(
    /^[-._A-Za-z0-9]+$/,
    subdomainLengthMax,
    'a key of a ConfigMap or Secret: letters, digits, "-", "_" and "."',
  );
}

/** The name of a model. `*` is left out because it ends a pattern in LLMKeys. */
export function modelName() {
  return patterned(/^[!-)+-~]+$/, modelNameLengthMax, 'the name of a model: printable ASCII without blanks and "*"');
}

/** The name of a model, or the beginning of one followed by `*`. */
export function modelPattern() {
  return patterned(
    /^([!-)+-~]+[*]?|[*])$/,
    modelNameLengthMax,
    'the name of a model, optionally with a "*" at its end',
  );
}

/** Money: a decimal string, because a float would lose cents and an integer would need a unit in every name. */
export function money() {
  return patterned(/^[0-9]{1,9}([.][0-9]{1,6})?$/, 16, 'an amount such as "2.50": up to 9 digits and up to 6 decimals');
}

/** A value that is sent as an HTTP header: no blanks, no control characters. */
export function headerToken(max: number) {
  return patterned(/^[!-~]+$/, max, 'printable ASCII without blanks');
}

// No backslash in these, because the pattern also stands inside a CEL string; a lone "]" is a literal in both dialects.
const host = '([A-Za-z0-9_]([-A-Za-z0-9_.]*[A-Za-z0-9_.])?|[[][0-9A-Fa-f:.]+])';
const port = '(:(6553[0-5]|655[0-2][0-9]|65[0-4][0-9][0-9]|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}))?';
const pathCharacters = "[-A-Za-z0-9._~!$&'()*+,;=:@%/]*";
const httpURL = `^https?://${host}${port}(/${pathCharacters})?$`;

const urlRule: Rule<string> = {
  cel: `self.matches("${httpURL}")`,
  message: 'must be an http:// or https:// URL without user-info, query and fragment',
  holds: (value) => new RegExp(httpURL).test(value),
};

/** An http or https URL that names a place and nothing else. */
export function url() {
  return withRules(text({ min: 1, max: urlLengthMax }), [urlRule]);
}

/** An absolute path of a URL, without query and fragment. */
export function urlPath() {
  return patterned(
    /^\/[-A-Za-z0-9._~!$&'()*+,;=:@%/]*$/,
    1024,
    'a path that begins with "/", without query and fragment',
  );
}

const timePattern =
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[-+]([01][0-9]|2[0-3]):[0-5][0-9])$/;

// It also keeps lists out: the API server checks formats and types in such a way that it takes a list for a time.
const timeRule: Rule<string> = {
  cel: "self >= timestamp('2000-01-01T00:00:00Z')",
  message: 'must not lie before the year 2000',
  holds: (value) => Date.parse(value) >= Date.UTC(2000, 0),
};

/** An RFC 3339 time. The pattern narrows what the API server's `date-time` takes to what `Date` reads the same way. */
export function timestamp() {
  const time = patterned(timePattern, 35, 'a time such as "2027-01-31T00:00:00Z"')
    .refine(isCalendarDay, { error: 'must name a day that exists', params: { serverCheck: 'format' } })
    .meta({ format: 'date-time' });
  return withRules(time, [timeRule]);
}

function isCalendarDay(value: string): boolean {
  const day = new Date(`${value.slice(0, 10)}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value.slice(0, 10));
}

function codePoints(value: string): number {
  let points = 0;
  for (const _ of value) points += 1;
  return points;
}
