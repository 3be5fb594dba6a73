import { describe, expect, test } from 'vitest';
import * as names from '../../../proxy/routing/error-names.ts';
import { toErrorName } from '../../../proxy/routing/error-body.ts';
import * as prose from '../../../proxy/routing/error-prose.ts';

type Meaning = keyof typeof prose;

const sentences: Record<Meaning, readonly string[]> = {
  capacity: [
    'we are experiencing high demand',
    'high traffic right now',
    'the engine is overloaded',
    'the model is at capacity',
    'the model is at full capacity',
    'currently over capacity',
    'there is no capacity',
    'insufficient capacity in the region',
    'flex tier capacity exceeded',
    'capacity temporarily exceeded',
    'x is temporarily rate-limited upstream',
    'model too busy',
    'the model is too busy',
    'see docs/error-code-429',
  ],
  context: [
    "this model's maximum context length is 1",
    "this model's maximum prompt length is 1",
    'longer than the maximum model length of 1',
    'loaded with context length of only 4096',
    'with a prompt length of only 1',
    'must be less than the context length of the model',
    'prompt is too long: 2 > 1',
    'input too long',
    'exceeds the model context limit',
    'exceed the 4k context size',
    'exceeded this context window',
    'exceeds the context of x',
    'exceed model context',
    'the context length of 4096 is exceeded',
    "longer than the model's context length",
    'please reduce the length of the messages',
    'please reduce your prompt',
    'the input token count (2) exceeds the maximum',
    'input tokens exceed the configured limit',
    '`inputs` tokens + `max_new_tokens` must be <= 1',
    '`inputs` must have less than 1',
    'too many tokens: total number of tokens in the prompt',
    'too many tokens: the total number of tokens',
    'too many tokens: size limit exceeded',
    '2 tokens are too large for model with 1',
    'context shift is disabled',
    'input is too large to process',
  ],
  content: [
    'content exists risk',
    "azure openai's content management policy",
    'blocked by content filtering policy',
    'was flagged as potentially violating x',
    'your input was flagged',
    'x requires moderation',
    'content violates usage guidelines',
    'this may violate our usage policy',
    'it was considered high risk',
    'rejected by our safety system',
  ],
  money: [
    'spend limit',
    'spending limit',
    'used all available credits',
    "doesn't have any credits",
    'run out of credits',
    'insufficient credits',
    'not enough credits',
    'insufficient balance',
    'insufficient funds',
    'your credit balance',
    'hourly usage limit',
    'limited to 1000 api calls / month',
    'you exceeded your current quota',
    'daily free allocation',
    'too many tokens per day',
    'key limit exceeded',
    'out of call volume quota',
    '余额不足',
  ],
  moneyStart: [
    'your credit balance is too low to',
    'you have reached your specified api usage limits.',
    'billing hard limit has been reached',
    'account acme is suspended, possibly',
  ],
  badKeyStart: [
    'incorrect api key provided',
    'invalid api key',
    'api key not valid.',
    'api key expired.',
    'api key not found.',
    'your api key was reported as leaked',
    'your api key has been disabled',
    'this organization has been disabled.',
    'the security token included in the request',
    'organization has been restricted.',
  ],
  tooLargeForLimitStart: ['request too large for x'],
  wholeAccount: [
    'you use a trial key',
    "your account's rate limit",
    'requests rate limit exceeded',
    '5 requests per api key',
  ],
  googleDaily: ['requestsperdayperproject', 'requests per day', 'limit: 0', 'limit: 0, model: x', 'limit: 0.'],
  vertexCapacityStart: ['resource exhausted.', 'resource has been exhausted'],
  network: [
    'denied due to virtual network/firewall rules',
    'public access is disabled',
    'not from an approved private endpoint',
    'temporarily blocked because we',
  ],
  noModelStart: [
    'invalid model: x',
    'model not exist',
    'model not found: x',
    'no such model',
    'aierror: no such model x',
    'the provided model identifier is invalid',
    'invocation of model id x',
    'could not resolve the foundation model',
    'the model `x` does not exist',
    'the model x is not supported',
    'the model x is not available',
    'the model x is not a valid one',
    'the requested model x has been decommissioned',
    'the model x was not found',
    'model x does not exist',
    'model x not found',
    'model x is not supported',
    'x is not a valid model id',
  ],
  noResourceStart: [
    'file not found',
    'no such file object: x',
    'no file found with id x',
    'previous response with id x not found',
    'upload x',
    'batch x',
    'response with id x',
    'conversation x',
    'containers x',
    'item with id x',
    'thread x',
    'run x',
    'message x',
    'assistant x',
    'vector store x',
    'fine-tuning job x',
    'fine tune job x',
    'eval x',
    'no video found',
  ],
};

const others: Partial<Record<Meaning, readonly string[]>> = {
  capacity: ['rate limit reached', 'you have exceeded your token rate limit'],
  context: [
    'max_tokens is too large',
    'too many tokens: max tokens must be less than',
    'the prompt must not be empty',
    'exceeded the limit. the context window',
  ],
  content: ['your input is not valid', 'no credits were charged', 'invalid content type'],
  money: [
    'requests per minute limit exceeded',
    'rate limit exceeded',
    'no credits were charged',
    'tokens per day (tpd): limit 100000',
  ],
  moneyStart: [
    `account ${'x'.repeat(65)} is suspended`,
    'invalid value: your credit balance is too low',
    'account is suspended',
  ],
  badKeyStart: ['invalid value: incorrect api key provided', 'your api key does not have permission'],
  tooLargeForLimitStart: ['your request too large'],
  wholeAccount: ['rate limit reached for x in organization y', 'other requests rate limit exceeded'],
  googleDaily: ['limit: 0.5', 'limit: 01', 'perminute', 'limit: 10'],
  vertexCapacityStart: ['quota exceeded. resource exhausted'],
  network: ['access denied'],
  noModelStart: [
    'invalid modelling',
    'unknown parameter: the model x does not exist',
    `the model ${'x'.repeat(257)} does not exist`,
    'the model is wrong',
    `${'x'.repeat(257)} is not a valid model id`,
    'model output is not valid',
  ],
  noResourceStart: [
    'the model file does not exist',
    'filename is not valid',
    'no endpoints found for x',
    'runtime x',
    'resource not found',
  ],
};

const patterns: Record<Meaning, RegExp> = { ...prose };

describe('sentences of vendors', () => {
  for (const [meaning, list] of Object.entries(sentences) as [Meaning, readonly string[]][]) {
    test.each(list)(`${meaning}: %s`, (sentence) => {
      expect(patterns[meaning].test(sentence)).toBe(true);
    });
    test.each(others[meaning] ?? [])(`not ${meaning}: %s`, (sentence) => {
      expect(patterns[meaning].test(sentence)).toBe(false);
    });
  }
});

test('names are spelled as they are looked up', () => {
  for (const set of Object.values(names)) {
    if (!(set instanceof Set)) continue;
    for (const name of set) expect(toErrorName(name)).toBe(name);
  }
});
