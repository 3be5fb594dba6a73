// Fields that the resources have and this version cannot do anything with yet: refused there, never silently ignored.
// One line for each; whoever makes a thing work deletes its line here.

import type { Kind } from '../../crds/group.ts';
import { type Finding, notAccepted } from './diagnostic.ts';

interface Line {
  readonly kind: Kind;
  /** Path of the value; `[]` stands for every entry of a list. */
  readonly path: string;
  readonly steps: readonly Step[];
  readonly message: string;
}

interface Step {
  readonly member: string;
  /** Whether the member is a list, and the path goes on in every entry. */
  readonly isList: boolean;
}

/** Every field that this version cannot do anything with. */
export const unsupported: readonly Line[] = [
  line('LLMProvider', 'spec.limits[]', notYet('limits')),
  line('LLMProvider', 'spec.egressProxyURL', notYet('egress proxies')),
  line('LLMRoute', 'spec.cache', notYet('caching')),
  line('LLMRoute', 'spec.limits[]', notYet('limits')),
  line('LLMRoute', 'spec.prompt', notYet('changing prompts')),
  line('LLMKey', 'spec.limits[]', notYet('limits')),
  line('LLMKey', 'spec.client.budgets[]', notYet('budgets')),
];

function line(kind: Kind, path: string, message: string): Line {
  const steps = path.split('.').map((step) => ({ member: step.replace('[]', ''), isList: step.endsWith('[]') }));
  return { kind, path, steps, message };
}

function notYet(what: string): string {
  return `this version does not support ${what} yet`;
}

/** Everything in an object that this version cannot do. One such value, and the object is not accepted. */
export function findUnsupported(kind: Kind, object: unknown): readonly Finding[] {
  const findings: Finding[] = [];
  for (const found of linesOf[kind]) {
    visit(object, found.steps, 0, [], (indexes) => findings.push(toFinding(found, indexes)));
  }
  return findings;
}

const linesOf: Readonly<Record<Kind, readonly Line[]>> = {
  LLMProvider: unsupported.filter(({ kind }) => kind === 'LLMProvider'),
  LLMRoute: unsupported.filter(({ kind }) => kind === 'LLMRoute'),
  LLMKey: unsupported.filter(({ kind }) => kind === 'LLMKey'),
};

/** Shows the place in each list on the way to every value that the steps lead to. Runs for every object and line. */
function visit(
  value: unknown,
  steps: readonly Step[],
  depth: number,
  indexes: readonly number[],
  show: (indexes: readonly number[]) => void,
): void {
  const step = steps[depth];
  if (step === undefined) return show(indexes);
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
