import { describe, expect, it } from 'vitest';
import { isForeignThinking } from '../../../proxy/routing/foreign-thinking.ts';
import { answered } from './judge-rig.ts';

const anthropic = (message: string): string =>
  JSON.stringify({ type: 'error', error: { type: 'invalid_request_error', message }, request_id: 'req_1' });
const google = (message: string): string =>
  JSON.stringify({ error: { code: 400, message, status: 'INVALID_ARGUMENT' } });
const openai = (message: string, code: string | null): string =>
  JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code } });

describe('thinking of others', () => {
  it.each([
    anthropic('messages.1.content.0: Invalid `signature` in `thinking` block'),
    anthropic('messages.3.content.0: Invalid signature in thinking block'),
    anthropic('messages.1.content.1: Invalid `data` in `redacted_thinking` block'),
    anthropic('messages.1.content.0.thinking.signature: Field required'),
    anthropic(
      'messages.5.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` is enabled, a final `assistant` message must start with a thinking block.',
    ),
    // Bedrock, and Vertex, which has Anthropic's own words in its message.
    JSON.stringify({ message: 'messages.1.content.0: Invalid `signature` in `thinking` block' }),
    google(anthropic('messages.1.content.0: Invalid `signature` in `thinking` block')),
    google('Corrupted thought signature.'),
    google('Invalid thought signature.'),
    google('Unable to submit request because Thought signature is not valid.. Learn more: https://cloud.google.com/'),
    google(
      'Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly.',
    ),
    `[${google('Corrupted thought signature.')}]`,
    openai('The encrypted content gAAA...DQ== could not be verified.', 'invalid_encrypted_content'),
    openai(
      'The encrypted content for item rs_1 could not be verified. Reason: Encrypted content could not be decrypted or parsed.',
      null,
    ),
  ])('is what is refused: %s', (body) => {
    expect(isForeignThinking(answered(400, body))).toBe(true);
    for (const status of [200, 401, 404, 429, 500]) expect(isForeignThinking(answered(status, body))).toBe(false);
  });

  it.each([
    anthropic('messages.1.content.0: text content blocks must be non-empty'),
    anthropic('`max_tokens` must be greater than `thinking.budget_tokens`'),
    anthropic('Thinking may not be enabled when tool_choice forces tool use.'),
    google('The request signature we calculated does not match'),
    google('API key not valid. Please pass a valid API key.'),
    openai('Invalid value for reasoning_effort', 'invalid_value'),
    '',
    '<html>Invalid signature in thinking block</html>',
  ])('is not what is refused: %s', (body) => {
    expect(isForeignThinking(answered(400, body))).toBe(false);
  });

  it('is refused before anything is answered', () => {
    expect(isForeignThinking({ type: 'truncated', cause: undefined })).toBe(false);
    const data = anthropic('Invalid `signature` in `thinking` block');
    expect(isForeignThinking({ type: 'frame', event: 'error', data, headers: {} })).toBe(false);
  });
});
