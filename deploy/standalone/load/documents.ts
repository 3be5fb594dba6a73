// From the text of a file to the objects written in it. A document with mistakes loses only itself.

import { type Document, isScalar, LineCounter, parseAllDocuments, visit } from 'yaml';
import type { FileProblem } from './problem.ts';
import type { SourceText } from './read-files.ts';

/** Mistakes that are reported of one document: later ones mostly follow from the first. */
const mistakesMax = 3;

/** Words that kubectl, which reads YAML 1.1, takes for booleans. */
const booleanWord = /^(?:[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)$/;

/** The objects of a file, those inside a `v1 List` one by one, and what is wrong with its text. */
export function parseDocuments({ path, text }: SourceText): {
  readonly values: readonly unknown[];
  readonly problems: readonly FileProblem[];
} {
  const lines = new LineCounter();
  const values: unknown[] = [];
  const problems: FileProblem[] = [];
  const report = (severity: FileProblem['severity'], offset: number, message: string): void => {
    const { line, col } = lines.linePos(offset);
    problems.push({ severity, file: path, place: { line, column: col }, field: '', message });
  };
  // `merge` and string keys as kubectl has them; without pretty errors messages stay on one line and quote nothing.
  const options = {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
    merge: true,
    stringKeys: true,
  } as const;
  for (const document of parseAllDocuments(text, options)) {
    if (document.errors.length > 0) reportMistakes(document, text, report);
    else values.push(...toObjects(document, report));
  }
  return { values, problems };
}

type Report = (severity: FileProblem['severity'], offset: number, message: string) => void;

function reportMistakes({ errors }: Document.Parsed, text: string, report: Report): void {
  for (const { message, pos } of errors.slice(0, mistakesMax)) {
    const line = text.slice(text.lastIndexOf('\n', pos[0] - 1) + 1, pos[1]);
    const hint = /[^"'{]\$\{/.test(line) ? '; put quotation marks around ${…}' : '';
    report('error', pos[0], `${message.replace(/\.$/, '')}${hint}`);
  }
}

function toObjects(document: Document.Parsed, report: Report): readonly unknown[] {
  for (const { message, pos } of document.warnings) report('warning', pos[0], message);
  warnOfBooleanWords(document, report);
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    // Aliases that name nothing, or that unfold to far more than was written.
    report('error', document.range[0], error instanceof Error ? error.message : 'cannot be read');
    return [];
  }
  if (value === null || value === undefined) return [];
  if (typeof value === 'object' && !Array.isArray(value)) return unroll(value);
  report('error', document.contents?.range[0] ?? document.range[0], 'must be an object with apiVersion and kind');
  return [];
}

function warnOfBooleanWords(document: Document.Parsed, report: Report): void {
  visit(document, {
    Scalar(_key, node) {
      if (!isScalar(node) || node.type !== 'PLAIN' || typeof node.value !== 'string') return;
      if (!booleanWord.test(node.value)) return;
      const message = `kubectl reads the bare word ${node.value} as a boolean: put quotation marks around it`;
      report('warning', node.range?.[0] ?? document.range[0], message);
    },
  });
}

/** `kubectl get -o yaml` writes several objects as one `v1 List`. */
function unroll(value: object): readonly unknown[] {
  const { apiVersion, kind, items } = value as Readonly<Record<string, unknown>>;
  if (apiVersion !== 'v1' || kind !== 'List' || !Array.isArray(items)) return [value];
  return items.flatMap((item: unknown) => (typeof item === 'object' && item !== null ? unroll(item) : [item]));
}
