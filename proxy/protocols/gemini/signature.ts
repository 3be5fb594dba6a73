// Thought signatures: what the newer models want back with the calls that they made. They are bound to the service that
// made them, and clients carry them in what their own protocols have for it.
// https://ai.google.dev/gemini-api/docs/thought-signatures

import type { Block, Metadata } from '../../canonical/block.ts';
import { isJsonObject } from '../openai/wire.ts';
import { chat, kept } from '../openai-chat/wire.ts';

type ToolCall = Extract<Block, { type: 'tool-call' }>;

/** A service that takes back the signatures that it made, and no others. */
export type Service = 'gemini' | 'vertex';

/** A signature and who made it. */
export interface Signature {
  readonly service: Service;
  readonly value: string;
}

/** What remembers signatures by the ids of calls. Made once by whoever puts the proxy together. */
export interface SignatureMemory {
  remember(callId: string, signature: Signature): void;
  recall(callId: string): Signature | undefined;
}

/** Stands for a signature that nobody has: for calls of other models, and those whose client lost it. */
export const anySignature = 'skip_thought_signature_validator';

/** What a client of OpenAI's gets with a call, in the place where Google's own OpenAI endpoint has it. */
export function toExtraContent({ service, value }: Signature): Metadata {
  return { [chat]: { extra_content: { google: { thought_signature: value, service } } } };
}

/** The same read back. A signature without a service is one of Google's own endpoint, and worth a try. */
function ofExtraContent(call: ToolCall, service: Service): string | undefined {
  const extra = kept(call)['extra_content'];
  const google = isJsonObject(extra) ? extra['google'] : undefined;
  if (!isJsonObject(google) || typeof google['thought_signature'] !== 'string') return undefined;
  return (google['service'] ?? service) === service ? google['thought_signature'] : undefined;
}

/** Signatures of Anthropic's are base64: none has a colon. */
const prefixes: { readonly [service in Service]: string } = { gemini: 'google-gemini:', vertex: 'google-vertex:' };

/** As the signature of the thinking before a call: what clients of Anthropic's give back unharmed. */
export function toThinkingSignature({ service, value }: Signature): string {
  return prefixes[service] + value;
}

/** Whether the signature of some thinking is one of these: no other vendor can do anything with it. */
export function isGoogleSignature(signature: string): boolean {
  return Object.values(prefixes).some((prefix) => signature.startsWith(prefix));
}

/** The signature that thinking was given, if it is this service's. */
export function ofThinking(block: Block, service: Service): string | undefined {
  const prefix = prefixes[service];
  if (block.type !== 'thinking' || block.signature?.startsWith(prefix) !== true) return undefined;
  return block.signature.slice(prefix.length);
}

/** The signature of a call: what came with it, what stood before it, or what is remembered of it. */
export function signatureOf(
  call: ToolCall,
  service: Service,
  { thought, memory }: { readonly thought: string | undefined; readonly memory: SignatureMemory | undefined },
): string | undefined {
  const carried = ofExtraContent(call, service) ?? thought;
  if (carried !== undefined) return carried;
  const remembered = memory?.recall(call.id);
  return remembered?.service === service ? remembered.value : undefined;
}
