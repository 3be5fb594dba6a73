import { describe, expect, test } from 'vitest';
import { readErrorBody, toErrorName } from '../../../proxy/routing/error-body.ts';

function read(body: unknown) {
  return readErrorBody(typeof body === 'string' ? body : JSON.stringify(body));
}

describe('every shape of error says the same', () => {
  test.each([
    ['OpenAI', { error: { message: 'No.', type: 'kind', code: 'name', param: 'here' } }],
    ['an array around it', [{ error: { message: 'No.', type: 'kind', code: 'name', param: 'here' } }]],
    ['flat', { object: 'error', message: 'No.', type: 'kind', code: 'name', param: 'here' }],
    [
      'a failed response',
      { type: 'response.failed', response: { error: { message: 'No.', type: 'kind', code: 'name', param: 'here' } } },
    ],
    ['a list as the error', { success: false, error: [{ message: 'No.', type: 'kind', code: 'name', param: 'here' }] }],
    ['a list of errors', { errors: [{ message: 'No.', type: 'kind', code: 'name', param: 'here' }] }],
    ['an object as detail', { detail: { message: 'No.', type: 'kind', code: 'name', param: 'here' } }],
    ['names beside a text', { error: 'No.', type: 'kind', code: 'name', param: 'here' }],
  ])('%s', (_, body) => {
    const error = read(body);
    expect(error).toMatchObject({
      message: 'No.',
      type: 'kind',
      code: 'name',
      param: 'here',
      text: 'no.',
      isError: true,
      markup: false,
    });
    expect(error.names).toEqual(expect.arrayContaining(['name', 'kind']));
  });

  test.each([
    ['an error that is a text', { error: 'No.' }, true],
    ['a detail that is a text', { detail: 'No.' }, true],
    ['a message', { message: 'No.' }, false],
    ['a message with a capital', { Message: 'No.' }, false],
    ['a short message', { msg: 'No.' }, false],
    ['an envelope that calls itself an error', { type: 'error', message: 'No.' }, true],
    ['an object that calls itself an error', { object: 'error', message: 'No.' }, true],
    ['an object with a capital', { object: 'Error', message: 'No.' }, true],
    ['an object that does not', { object: 'list', type: 'x', message: 'No.' }, false],
    ['a title', { title: 'No.' }, false],
    ['a JSON string', '"No."', false],
    ['prose', ' No.\n', false],
  ])('%s', (_, body, isError) => {
    expect(read(body)).toMatchObject({ message: 'No.', code: undefined, isError });
  });

  test('seconds until a reset read like a delay of Google, which comes first', () => {
    expect(read({ error: { message: 'No.', resets_in_seconds: 13_872 } }).retryDelay).toBe('13872s');
    const details = [{ retryDelay: '5s' }];
    expect(read({ error: { message: 'No.', resets_in_seconds: 13_872, details } }).retryDelay).toBe('5s');
    expect(read({ error: { message: 'No.', details } }).retryDelay).toBe('5s');
    expect(read({ error: { message: 'No.' } }).retryDelay).toBeUndefined();
  });

  test('headers inside a body are found where aggregators and streams put them', () => {
    const headers = { 'Retry-After': 7 };
    const wanted = { 'retry-after': '7' };
    expect(read({ error: { message: 'No.', metadata: { headers } } }).headers).toEqual(wanted);
    expect(read({ error: { message: 'No.', headers } }).headers).toEqual(wanted);
    expect(read({ error: { message: 'No.' }, headers }).headers).toEqual(wanted);
    expect(read({ error: { message: 'No.', headers: 'none' } }).headers).toEqual({});
  });

  test('the type of an envelope is not the type of the error', () => {
    expect(read({ type: 'error', error: { message: 'No.' } }).type).toBeUndefined();
    expect(read({ type: 'error', message: 'No.' }).type).toBeUndefined();
    expect(read({ type: 'response.failed', response: { error: { message: 'No.' } } }).type).toBeUndefined();
    expect(read({ type: 'kind', message: 'No.' }).type).toBe('kind');
    expect(read({ error: 'No.', error_type: 'kind' }).type).toBe('kind');
    expect(read({ error: { message: 'No.', status: 'NOT_FOUND' } }).type).toBe('NOT_FOUND');
  });

  test.each(['', '  ', 'null', 'true', '[]', '[[]]', '{', '{"error":{"message":"cut', '["cut', '{}'])(
    '%j says nothing',
    (body) => {
      expect(read(body)).toMatchObject({
        message: body === 'null' || body === 'true' ? body : '',
        names: [],
        isError: false,
        markup: false,
      });
    },
  );

  test.each(['<html></html>', '\n <!DOCTYPE html>', '<?xml version="1.0"?>'])('%j is markup', (body) => {
    expect(read(body)).toMatchObject({ markup: true, message: '', text: '', names: [], isError: false });
  });
});

describe('lists of what is wrong where', () => {
  const wrong = (...places: number[]) => places.map((place) => ({ loc: ['body', place], msg: 'Field required' }));

  test('become one sentence', () => {
    expect(read({ detail: wrong(1, 2) }).message).toBe('body.1: Field required; body.2: Field required');
    expect(read({ object: 'error', message: { detail: wrong(1) } }).message).toBe('body.1: Field required');
    expect(read({ detail: [{ message: 'No.' }, {}] }).message).toBe('No.; invalid');
  });

  test('of at most five entries with at most sixteen steps', () => {
    expect(read({ detail: wrong(1, 2, 3, 4, 5) }).message.split('; ')).toHaveLength(5);
    expect(read({ detail: wrong(1, 2, 3, 4, 5, 6) }).message.split('; ')).toHaveLength(5);
    const steps = (count: number) =>
      read({ detail: [{ loc: Array.from({ length: count }, () => 'x'), msg: 'No' }] }).message;
    expect(steps(16)).toHaveLength('x.'.length * 16 - 1 + ': No'.length);
    expect(steps(17)).toBe(steps(16));
  });
});

describe('names', () => {
  test('are collected from everywhere, once each, in lower case', () => {
    const { names } = read({
      code: 'Outer',
      error: {
        code: 'A',
        type: 'a',
        status: 'B',
        innererror: { code: 'C' },
        details: [{ reason: 'D' }, 'not an object', { error_code: 'E' }],
      },
    });
    expect(names).toEqual(['a', 'b', 'outer', 'c', 'd', 'e']);
    expect(read({ error: { inner_error: { code: 'X' } } }).names).toEqual(['x']);
    expect(read({ error: { details: { error_code: 'Y' } } }).names).toEqual(['y']);
  });

  test('are short', () => {
    expect(read({ error: { code: 'x'.repeat(128) } }).names).toHaveLength(1);
    expect(read({ error: { code: 'x'.repeat(129) } })).toMatchObject({ names: [], code: undefined });
    expect(read({ error: { code: '' } })).toMatchObject({ names: [], code: undefined });
    expect(read({ error: { code: true, type: {}, param: '' } })).toMatchObject({
      names: [],
      code: undefined,
      type: undefined,
      param: undefined,
    });
  });

  test('are few', () => {
    const details = (count: number) => Array.from({ length: count }, (_, index) => ({ reason: `r${index}` }));
    expect(read({ error: { details: details(32) } }).names).toHaveLength(32);
    expect(read({ error: { details: details(33) } }).names).toHaveLength(32);
    expect(read({ error: { code: 'x', details: details(32) } }).names).toHaveLength(32);
  });

  test('lose what AWS puts around them', () => {
    expect(toErrorName('ThrottlingException')).toBe('throttlingexception');
    expect(toErrorName('com.amazon.coral.availability#ThrottlingException')).toBe('throttlingexception');
    expect(toErrorName('ValidationException:http://internal.amazon.com/coral/')).toBe('validationexception');
    expect(toErrorName(' a#b:c ')).toBe('b');
  });
});

describe('the status that a body speaks of', () => {
  test.each([
    [{ error: { code: 429 } }, 429],
    [{ error: { code: '503' } }, 503],
    [{ error: { code: 'x', status: 404 } }, 404],
    [{ statusCode: 401 }, 401],
    [{ error: { message: 'x' }, status_code: 400 }, 400],
    [{ raw_status_code: 599 }, 599],
    [{ http_status: 400 }, 400],
    [{ error: { code: 399 } }, undefined],
    [{ error: { code: 600 } }, undefined],
    [{ error: { code: 429.5 } }, undefined],
    [{ error: { code: 4006 } }, undefined],
    [{ error: { code: '' } }, undefined],
    [{ error: {} }, undefined],
  ])('%j', (body, status) => {
    expect(read(body).status).toBe(status);
  });
});

describe('hints', () => {
  test('prose of quotas and of inner vendors is searched, but not shown', () => {
    const error = read({
      error: {
        message: 'Outer.',
        details: [{ violations: [{ quotaId: 'PerDay' }, {}, { quotaId: 7 }] }],
        metadata: { raw: 'Inner RAW.' },
        innererror: { message: 'Deep.' },
      },
    });
    expect(error.message).toBe('Outer.');
    expect(error.text).toBe('outer.\nperday\ninner raw.\ndeep.');
  });

  test("Google's delay is found among the details", () => {
    expect(read({ error: { details: [{}, { retryDelay: '46s' }, { retryDelay: '1s' }] } }).retryDelay).toBe('46s');
    expect(read({ error: { details: [{ retryDelay: 46 }] } }).retryDelay).toBeUndefined();
  });

  test('headers inside the body are read by their lower-case names', () => {
    const headers = { 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': 1767225630000, 'X-Other': null };
    expect(read({ error: { metadata: { headers } } }).headers).toEqual({
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': '1767225630000',
    });
    expect(read({ error: {} }).headers).toEqual({});
  });

  test('messages are cut', () => {
    expect(read({ message: 'x'.repeat(9000) }).message).toHaveLength(8192);
    expect(read('x'.repeat(9000)).message).toHaveLength(8192);
    const raw = 'y'.repeat(20_000);
    expect(read({ error: { message: 'x'.repeat(9000), metadata: { raw } } }).text).toHaveLength(16_384);
  });
});
