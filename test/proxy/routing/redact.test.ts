import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redact } from '../../../proxy/routing/redact.ts';

describe('secrets do not reach clients', () => {
  test.each([
    ['Incorrect key sk-proj-abcDEF123456_x given', 'Incorrect key [redacted] given'],
    ['key: sk-ab****************wxyz.', 'key: [redacted].'],
    ['gsk_abcdefgh12345678', '[redacted]'],
    ['xai-0123456789abcdef', '[redacted]'],
    ['hf_ABCDEFGHijklmnop', '[redacted]'],
    ['nvapi-ABCDEFGHijklmnop', '[redacted]'],
    ['AIzaSyA1234567890abcdefghijklmnop', '[redacted]'],
    ['AKIAIOSFODNN7EXAMPLE is not known', '[redacted] is not known'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl', '[redacted]'],
    ['Authorization: Bearer abc.def-ghi', 'Authorization: [redacted]'],
    ['basic dXNlcjpwYXNzd29yZA==', '[redacted]'],
    ['x-api-key: 0123456789abcdef', 'x-[redacted]'],
    ['"api_key": "0123456789abcdef"', '"[redacted]"'],
    ['API key ID: 481c7584-ab46', '[redacted]'],
    ['secret=abcdef', '[redacted]'],
    ['in organization org-AbCdEfGhIjKlMnOp on', 'in organization [redacted] on'],
    ['proj_AbCdEfGhIjKlMnOp', '[redacted]'],
    ['see https://api.internal.example:8443/v1/chat?key=abc for more', 'see [redacted] for more'],
    ['postgres://user:secret@db/x', '[redacted]'],
    ['dial tcp 10.0.12.7:8000: refused', 'dial tcp [redacted]: refused'],
    ['lookup vllm.models.svc.cluster.local:8000 failed', 'lookup [redacted] failed'],
    ['host ip-10-0-0-1.ec2.internal is down', 'host [redacted] is down'],
  ])('%s', (text, wanted) => {
    expect(redact(text)).toBe(wanted);
  });

  test('what is said to be secret is hidden whatever it looks like', () => {
    expect(redact('you sent tulip-garden, tulip-garden!', ['tulip-garden'])).toBe('you sent [redacted], [redacted]!');
  });

  test('strings too short to be secrets do not mangle words', () => {
    expect(redact('a model of models', ['a', 'model', ''])).toBe('a model of models');
    expect(redact('models', ['models'])).toBe('[redacted]');
  });
});

describe('what helps the client stays', () => {
  test.each([
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    'prompt is too long: 208310 tokens > 200000 maximum',
    'The following tool_call_ids did not have response messages: call_abcdefghijklmnopqrstuvwx',
    'messages.0.content.1.image_url.url: invalid data:image/png;base64,AAAA',
    'The model `gpt-4o-mini-2024-07-18` does not exist',
    'A risk-averse task-based approach: use sk-learn',
    'basic example of a bearer of news',
    'The project: is off. Your team has no api key.',
    'version 1.2.3 of openai.chat',
    'No such File object: file-abc123def456',
  ])('%s', (text) => {
    expect(redact(text)).toBe(text);
  });
});

test('no secret survives, wherever it stands', () => {
  const secret = fc.stringMatching(/^[A-Za-z0-9_-]{16,40}$/);
  fc.assert(
    fc.property(fc.string(), secret, fc.string(), (before, key, after) => {
      expect(redact(`${before} sk-${key} ${after}`)).not.toContain(`sk-${key}`);
      expect(redact(`${before}${key}${after}`, [key])).not.toContain(key);
    }),
  );
});
