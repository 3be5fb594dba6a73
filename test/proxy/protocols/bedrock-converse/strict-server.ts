// What Bedrock refuses, as a check of requests: the words of its own errors, or nothing.

interface Block {
  readonly text?: string;
  readonly toolUse?: { readonly toolUseId: string; readonly name: string; readonly input: unknown };
  readonly toolResult?: { readonly toolUseId: string; readonly content: readonly Block[] };
  readonly [name: string]: unknown;
}

export interface ConverseRequest {
  readonly messages: readonly { readonly role: string; readonly content: readonly Block[] }[];
  readonly system?: readonly Block[];
  readonly toolConfig?: {
    readonly tools: readonly { readonly toolSpec?: { readonly name: string } }[];
    readonly toolChoice?: object;
  };
  readonly inferenceConfig?: { readonly [name: string]: unknown };
  readonly additionalModelRequestFields?: { readonly [name: string]: unknown };
  readonly outputConfig?: { readonly [name: string]: unknown };
  readonly serviceTier?: unknown;
}

const legalId = /^[a-zA-Z0-9_-]{1,64}$/;

/** Everything that is wrong with a request. */
export function complaints(request: ConverseRequest): readonly string[] {
  const { messages, system = [], toolConfig } = request;
  const blocks = messages.flatMap(({ content }) => content);
  const inner = blocks.flatMap(({ toolResult }) => toolResult?.content ?? []);
  const ids = blocks.flatMap(({ toolUse, toolResult }) => toolUse?.toolUseId ?? toolResult?.toolUseId ?? []);
  const found: readonly (string | false)[] = [
    messages[0]?.role !== 'user' && 'A conversation must start with a user message.',
    messages.some(({ role }, index) => role === messages[index - 1]?.role) && 'roles must alternate',
    messages.some(({ content }) => content.length === 0) && 'The content field is empty.',
    [...blocks, ...system, ...inner].some(({ text }) => text?.trim() === '') && 'The text field is blank.',
    ids.some((id) => !legalId.test(id)) && 'toolUseId failed to satisfy the pattern',
    ids.length > 0 && toolConfig === undefined && 'The toolConfig field must be defined when using toolUse blocks.',
    toolConfig?.tools.length === 0 && 'toolConfig.tools must have at least 1 member',
    blocks.some(({ toolResult }) => toolResult?.content.length === 0) && 'toolResult.content is empty',
    ...messages.map((_, index) => unanswered(messages, index)),
  ];
  return found.filter((one) => one !== false);
}

function unanswered(messages: ConverseRequest['messages'], index: number): string | false {
  const calls = (messages[index]?.content ?? []).flatMap(({ toolUse }) => toolUse?.toolUseId ?? []);
  const next = messages[index + 1]?.content ?? [];
  const results = next.flatMap(({ toolResult }) => toolResult?.toolUseId ?? []);
  if (calls.join() !== results.join()) return `Expected toolResult blocks for the following Ids: ${calls.join()}`;
  const firstOther = next.findIndex(({ toolResult }) => toolResult === undefined);
  return firstOther !== -1 && next.slice(firstOther).some(({ toolResult }) => toolResult) && 'results come first';
}
