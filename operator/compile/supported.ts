// What the resources can say and this version cannot do yet. It is refused on the exact field, never silently ignored.
// One line for each; whoever makes a thing work deletes its line here.

import type { Kind } from '../../crds/group.ts';
import { type Finding, notAccepted } from './diagnostic.ts';

interface Line {
  readonly kind: Kind;
  /** Path of the value; `[]` stands for every entry of a list. */
  readonly path: string;
  readonly steps: readonly Step[];
  /** Whether this version cannot do what the value asks for. It is only asked about values that are given. */
  readonly refuses: (value: unknown) => boolean;
  readonly message: string;
}

interface Step {
  readonly member: string;
  /** Whether the member is a list, and the path goes on in every entry. */
  readonly isList: boolean;
}

const always = (): boolean => true;

/** Every field, or value of a field, that this version cannot do. */
export const unsupported: readonly Line[] = [
  line('LLMProvider', 'spec.limits[]', always, notYet('limits')),
  line('LLMProvider', 'spec.egressProxyURL', always, notYet('egress proxies')),
  line('LLMRoute', 'spec.cache', always, notYet('caching')),
  line('LLMRoute', 'spec.limits[]', always, notYet('limits')),
  line('LLMRoute', 'spec.prompt', always, notYet('changing prompts')),
  line('LLMKey', 'spec.limits[]', always, notYet('limits')),
  line('LLMKey', 'spec.client.budgets[]', always, notYet('budgets')),
];

function line(kind: Kind, path: string, refuses: (value: unknown) => boolean, message: string): Line {
  const steps = path.split('.').map((step) => ({ member: step.replace('[]', ''), isList: step.endsWith('[]') }));
  return { kind, path, steps, refuses, message };
}

function notYet(what: string): string {
  return `this version does not support ${what} yet`;
}

/** Everything in an object that this version cannot do. One such value, and the object is not accepted. */
export function findUnsupported(kind: Kind, object: unknown): readonly Finding[] {
  const findings: Finding[] = [];
  for (const found of linesOf[kind]) {
    visit(object, found.steps, 0, [], (value, indexes) => {
      if (found.refuses(value)) findings.push(toFinding(found, indexes));
    });
  }
  return findings;
}

const linesOf: Readonly<Record<Kind, readonly Line[]>> = {
  LLMProvider: unsupported.filter(({ kind }) => kind === 'LLMProvider'),
  LLMRoute: unsupported.filter(({ kind }) => kind === 'LLMRoute'),
  LLMKey: unsupported.filter(({ kind }) => kind === 'LLMKey'),
};

/** Shows every value that the steps lead to, with the place in each list on the way. Runs for every object and line. */
function visit(
  value: unknown,
  steps: readonly Step[],
  depth: number,
  indexes: readonly number[],
  show: (value: unknown, indexes: readonly number[]) => void,
): void {
  const step = steps[depth];
  if (step === undefined) return show(value, indexes);
  if (typeof value !== 'object' || value === null) return;
  const member: unknown = Reflect.get(value, step.member);
  if (member === undefined) return;
  if (!step.isList) return visit(member, steps, depth + 1, indexes, show);
  if (!Array.isArray(member)) return;
  for (const [index, entry] of member.entries()) visit(entry, steps, depth + 1, [...indexes, index], show);
}

function toFinding({ path, message }: Line, indexes: readonly number[]): Finding {
  let lists = 0;
  return notAccepted(
    'UnsupportedValue',
    path.replaceAll('[]', () => `[${indexes[lists++]}]`),
    message,
  );
}
