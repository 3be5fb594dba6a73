// Whether an upstream refuses a request for the thinking in it: made and signed by another model, another service or
// another account, or missing where it would have to be. The conversation has been somewhere else before; without its
// thinking it can go on here. Pure.

import type { FailureSignal } from '../canonical/failure.ts';
import { readErrorBody } from './error-body.ts';

/** OpenAI's name for reasoning that belongs to another account. */
const names: ReadonlySet<string> = new Set(['invalid_encrypted_content']);

/** In lower case; vendors put quotation marks around names, or do not. */
const sentences: readonly RegExp[] = [
  // Anthropic, wherever it is hosted.
  /invalid [`'"]?(?:signature|data)[`'"]? in [`'"]?(?:redacted_)?thinking[`'"]? block/,
  /expected [`'"]?thinking[`'"]? or [`'"]?redacted_thinking[`'"]?, but found/,
  /thinking\.signature: field required/,
  // Google.
  /(?:corrupted|invalid) thought[ _]?signature/,
  /thought[ _]?signature is not valid/,
  /missing a [`'"]?thought_?signature/,
  // OpenAI.
  /encrypted content .{0,200}could not be (?:verified|decrypted)/,
];

/** Whether the same request may be taken without the thinking of its history. */
export function isForeignThinking(signal: FailureSignal): boolean {
  if (signal.type !== 'answer' || signal.status !== 400) return false;
  const { names: given, text } = readErrorBody(signal.body);
  return given.some((name) => names.has(name)) || sentences.some((sentence) => sentence.test(text));
}
