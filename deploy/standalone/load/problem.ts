// What is wrong with files, in the one form in which `sluice check` and `sluice run` print it.

/** An object as a message names it. */
export interface ObjectName {
  readonly kind: string;
  /** Undefined for kinds that belong to no namespace. */
  readonly namespace: string | undefined;
  readonly name: string;
}

/** One problem: in which file, of which object, in which field, and what must hold there. */
export interface FileProblem {
  /** Errors keep something from being accepted or resolved; warnings are for a person to know. */
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** Where it is no object's problem but the text's. Both count from 1. */
  readonly place?: { readonly line: number; readonly column: number };
  readonly object?: ObjectName;
  /** Path in the object, or ''. */
  readonly field: string;
  readonly message: string;
}

/** `file: Kind namespace/name field: message`, or `file:line:column: message`. */
export function formatProblem({ severity, file, place, object, field, message }: FileProblem): string {
  const where = place === undefined ? file : `${file}:${place.line}:${place.column}`;
  const what = [object === undefined ? '' : formatName(object), field].filter((part) => part !== '').join(' ');
  const mark = severity === 'warning' ? 'warning: ' : '';
  return `${where}: ${what === '' ? '' : `${what}: `}${mark}${message}`;
}

/** `Kind namespace/name`. */
export function formatName({ kind, namespace, name }: ObjectName): string {
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

/** Whether any of them is an error. */
export function hasErrors(problems: readonly FileProblem[]): boolean {
  return problems.some(({ severity }) => severity === 'error');
}
