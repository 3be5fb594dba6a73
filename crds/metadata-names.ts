/** What labels and annotations may be called, and what labels may say. The rules of Kubernetes, which checks them itself. */
import { z } from 'zod';

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
const namePattern = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const prefixPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const prefixLengthMax = 253;
/** Of all annotations of an object, names and values. */
const annotationsBytesMax = 256 * 1024;

/** `metadata.labels`. */
export function labels() {
  return z.record(z.string(), z.string()).superRefine((given, context) => {
    for (const [name, value] of Object.entries(given)) {
      const problem = nameProblem(name) ?? (value === '' || namePattern.test(value) ? undefined : badValue);
      if (problem !== undefined) context.addIssue({ code: 'custom', path: [name], message: problem });
    }
  });
}

/** `metadata.annotations`. */
export function annotations() {
  return z.record(z.string(), z.string()).superRefine((given, context) => {
    let bytes = 0;
    for (const [name, value] of Object.entries(given)) {
      bytes += byteLength(name) + byteLength(value);
      // Upper-case prefixes are taken here, and only here.
      const problem = nameProblem(name.toLowerCase());
      if (problem !== undefined) context.addIssue({ code: 'custom', path: [name], message: problem });
    }
    if (bytes > annotationsBytesMax) {
      context.addIssue({ code: 'custom', message: `must have at most ${annotationsBytesMax} bytes in all` });
    }
  });
}

const badValue =
  'must be empty, or letters, digits, "-", "_" and ".", at most 63, beginning and ending with one of the first two';

function nameProblem(name: string): string | undefined {
  const slash = name.indexOf('/');
  const prefix = slash === -1 ? undefined : name.slice(0, slash);
  const isPrefixed = prefix === undefined || (prefix.length <= prefixLengthMax && prefixPattern.test(prefix));
  if (isPrefixed && namePattern.test(name.slice(slash + 1))) return undefined;
  return 'must be named with letters, digits, "-", "_" and ".", at most 63, optionally after a DNS name and "/"';
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
