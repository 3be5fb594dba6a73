/** The vendors that a provider can be, and the members that only some of them have. */
import { z } from 'zod';
import { type Rule, withRules } from './rule.ts';
import { patterned } from './scalars.ts';

/** `spec.type`: decides protocol, default base URL, authentication and quirks. */
export const providerTypes = [
  'OpenAI',
  'AzureOpenAI',
  'Anthropic',
  'Gemini',
  'VertexAI',
  'Bedrock',
  'Mistral',
  'Cohere',
  'Ollama',
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
] as const;

/** Vendor of a provider. */
export type ProviderType = (typeof providerTypes)[number];

/** Software that people run themselves: there is no public place to send requests to. */
export const selfHostedTypes: readonly ProviderType[] = ['LMStudio', 'Ollama', 'OpenAICompatible', 'VLLM'];

// These names become parts of host names and paths, hence no dots, slashes or blanks.
const hostPart = () => patterned(/^[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?$/, 63, 'letters, digits and "-"');

/** `spec.azure`. */
export const azureSchema = withRules(
  z.strictObject({
    resource: hostPart()
      .optional()
      .describe('Name of the Azure resource, from which the base URL follows where endpoint is left out.'),
    apiVersion: patterned(/^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?$/, 32, 'an API version such as 2024-10-21')
      .optional()
      .describe('Value of the query parameter api-version.'),
    deploymentPath: z
      .enum(['Deployment', 'V1'])
      .optional()
      .describe(
        'Deployment addresses /openai/deployments/MODEL, V1 addresses /openai/v1; V1 where apiVersion is left out, else Deployment.',
      ),
  }),
  [
    {
      cel: "!has(self.deploymentPath) || self.deploymentPath != 'Deployment' || has(self.apiVersion)",
      message: 'apiVersion must be given where deploymentPath is Deployment',
      fieldPath: '.apiVersion',
      holds: ({ deploymentPath, apiVersion }) => deploymentPath !== 'Deployment' || apiVersion !== undefined,
    },
  ],
);

/** `spec.bedrock`. */
export const bedrockSchema = z.strictObject({
  region: hostPart().describe('AWS region, such as eu-central-1.'),
});

/** `spec.vertexAI`. */
export const vertexAISchema = z.strictObject({
  project: patterned(/^[a-z0-9]([-a-z0-9.:]*[a-z0-9])?$/, 63, 'the id of a Google Cloud project').describe(
    'Google Cloud project.',
  ),
  location: hostPart().describe('Google Cloud location, such as europe-west4 or global.'),
});

/** `spec.cloudflare`. */
export const cloudflareSchema = z.strictObject({
  accountID: patterned(/^[0-9a-f]{32}$/, 32, 'an account id of 32 hexadecimal digits').describe(
    'Cloudflare account that runs Workers AI.',
  ),
});

/** Members of a provider that belong to one vendor each. */
export const vendorMembers = {
  azure: azureSchema.optional().describe('Azure OpenAI: present if and only if type is AzureOpenAI.'),
  bedrock: bedrockSchema.optional().describe('Amazon Bedrock: present if and only if type is Bedrock.'),
  vertexAI: vertexAISchema.optional().describe('Google Vertex AI: present if and only if type is VertexAI.'),
  cloudflare: cloudflareSchema.optional().describe('Cloudflare Workers AI: present if and only if type is Cloudflare.'),
};

interface Vendor {
  readonly type: ProviderType;
  readonly endpoint?: unknown;
  readonly azure?: { readonly resource?: string | undefined } | undefined;
  readonly bedrock?: unknown;
  readonly vertexAI?: unknown;
  readonly cloudflare?: unknown;
}

const owners = [
  ['azure', 'AzureOpenAI'],
  ['bedrock', 'Bedrock'],
  ['vertexAI', 'VertexAI'],
  ['cloudflare', 'Cloudflare'],
] as const;

/** What must hold between the vendor, its own member and the endpoint. */
export const vendorRules: readonly Rule<Vendor>[] = [
  ...owners.map(([member, owner]): Rule<Vendor> => ({
    cel: `(self.type == '${owner}') == has(self.${member})`,
    message: `${member} must be given where type is ${owner}, and nowhere else`,
    fieldPath: `.${member}`,
    holds: (spec) => (spec.type === owner) === (spec[member] !== undefined),
  })),
  {
    cel: `!(self.type in [${selfHostedTypes.map((type) => `'${type}'`).join(', ')}]) || has(self.endpoint)`,
    message: `endpoint must be given where type is ${selfHostedTypes.join(', ')}: there is no public default`,
    fieldPath: '.endpoint',
    holds: (spec) => !selfHostedTypes.includes(spec.type) || spec.endpoint !== undefined,
  },
  {
    cel: "self.type != 'AzureOpenAI' || has(self.endpoint) || (has(self.azure) && has(self.azure.resource))",
    message: 'endpoint or azure.resource must be given where type is AzureOpenAI',
    fieldPath: '.endpoint',
    holds: (spec) => spec.type !== 'AzureOpenAI' || spec.endpoint !== undefined || spec.azure?.resource !== undefined,
  },
];
