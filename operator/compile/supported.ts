// What the resources can say and this version cannot do yet. It is refused on the exact field, never silently ignored.
// One line for each; whoever makes a thing work deletes its line here.

import type { Kind } from '../../crds/group.ts';
import type { ProviderType, RouteProtocol, Strategy } from '../../proxy/config/schema.ts';
import { type Finding, notAccepted } from './diagnostic.ts';

interface Line {
  readonly kind: Kind;
  /** Path of the value; `[]` stands for every entry of a list. */
  readonly path: string;
  /** Whether this version cannot do what the value asks for. It is only asked about values that are given. */
  readonly refuses: (value: unknown) => boolean;
  readonly message: string;
}

const always = (): boolean => true;
const unless =
  (...known: readonly string[]) =>
  (value: unknown): boolean =>
    typeof value !== 'string' || !known.includes(value);

const openaiTypes: readonly ProviderType[] = [
  'OpenAI',
  'AzureOpenAI',
  'Mistral',
  'VLLM',
  'OpenRouter',
  'Groq',
  'NvidiaNIM',
  'HuggingFace',
  'Cerebras',
  'Cloudflare',
  'DeepSeek',
  'XAI',
  'Together',
  'Fireworks',
  'LMStudio',
  'OpenAICompatible',
];
const strategies: readonly Strategy[] = ['Random', 'RoundRobin', 'Weighted'];
const openaiProtocols: readonly RouteProtocol[] = [
  'OpenAIChat',
  'OpenAICompletions',
  'OpenAIResponses',
  'OpenAIEmbeddings',
];

/** Every field, or value of a field, that this version cannot do. */
export const unsupported: readonly Line[] = [
  line('LLMProvider', 'spec.type', unless(...openaiTypes), 'this version speaks only the OpenAI protocol to providers'),
  line('LLMProvider', 'spec.credentials.type', unless('KeyPool', 'None', 'Passthrough'), notYet('cloud identities')),
  line('LLMProvider', 'spec.credentials.keyPool.stickiness', unless('None'), notYet('keeping to one key')),
  line('LLMProvider', 'spec.limits[]', always, notYet('limits')),
  line('LLMProvider', 'spec.health.probe', always, notYet('active probes')),
  line('LLMProvider', 'spec.egressProxyURL', always, notYet('egress proxies')),
  line('LLMRoute', 'spec.protocol', unless(...openaiProtocols), `this version has only ${openaiProtocols.join(', ')}`),
  line('LLMRoute', 'spec.cache', always, notYet('caching')),
  line('LLMRoute', 'spec.limits[]', always, notYet('limits')),
  line('LLMRoute', 'spec.prompt', always, notYet('changing prompts')),
  line('LLMRoute', 'spec.rules[].strategy', unless(...strategies), `this version has only ${strategies.join(', ')}`),
  line('LLMRoute', 'spec.rules[].require[].maxFirstContentMillis', always, notYet('requiring a latency')),
  line('LLMRoute', 'spec.rules[].prefer[]', always, notYet('preferring backends')),
  line('LLMRoute', 'spec.rules[].failover.hedgeSeconds', always, notYet('asking two backends at once')),
  line('LLMRoute', 'spec.rules[].failover.afterContent', unless('Error'), notYet('resuming streams')),
  line('LLMRoute', 'spec.rules[].failover.disable.probeSeconds', always, notYet('trials before a disable ends')),
  line('LLMKey', 'spec.limits[]', always, notYet('limits')),
  line('LLMKey', 'spec.client.budgets[]', always, notYet('budgets')),
  line('LLMKey', 'spec.client.rotation', always, notYet('renewing keys')),
];

function line(kind: Kind, path: string, refuses: (value: unknown) => boolean, message: string): Line {
  return { kind, path, refuses, message };
}

function notYet(what: string): string {
  return `this version does not support ${what} yet`;
}

/** Something unsupported, and the rule and backend that it stands in, if it does. */
export interface UnsupportedPlace {
  readonly finding: Finding;
  readonly rule: number | undefined;
  readonly backend: number | undefined;
}

/** Everything in an object that this version cannot do. */
export function findUnsupported(kind: Kind, object: unknown): readonly UnsupportedPlace[] {
  return unsupported
    .filter((candidate) => candidate.kind === kind)
    .flatMap(({ path, refuses, message }) =>
      valuesAt(object, path)
        .filter(({ value }) => refuses(value))
        .map(({ field }) => ({
          finding: notAccepted('UnsupportedValue', field, message),
          rule: indexIn(field, /^spec\.rules\[(\d+)\]/),
          backend: indexIn(field, /\.backends\[(\d+)\]/),
        })),
    );
}

function indexIn(field: string, pattern: RegExp): number | undefined {
  const found = pattern.exec(field)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** Every value that a path leads to, with its exact field. */
function valuesAt(root: unknown, path: string): readonly { readonly value: unknown; readonly field: string }[] {
  let places = [{ value: root, field: '' }];
  for (const step of path.split('.')) {
    const name = step.replace('[]', '');
    places = places.flatMap(({ value, field }) => {
      const member: unknown = Reflect.get(Object(value), name);
      const at = field === '' ? name : `${field}.${name}`;
      if (!step.endsWith('[]')) return [{ value: member, field: at }];
      return Array.isArray(member)
        ? member.map((entry: unknown, index) => ({ value: entry, field: `${at}[${index}]` }))
        : [];
    });
    places = places.filter(({ value }) => value !== undefined);
  }
  return places;
}
