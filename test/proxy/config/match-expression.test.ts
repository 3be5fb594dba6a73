import { describe, expect, test } from 'vitest';
import { compileMatchExpression, type MatchVariables } from '../../../proxy/config/match-expression.ts';

const variables: MatchVariables = {
  request: { headers: { 'x-region': 'eu', 'x-pattern': '^/v1' }, path: '/v1/chat', model: 'gpt-4o', stream: true },
  client: { key: 'team/app', namespace: 'team', tenant: 'shop', labels: { app: 'checkout', tier: 'gold' } },
};

function holds(source: string, differs: Partial<MatchVariables> = {}): boolean {
  return compileMatchExpression(source)({ ...variables, ...differs });
}

describe('an expression sees', () => {
  test.each([
    ['request.headers["x-region"] == "eu"', true],
    ['"x-other" in request.headers', false],
    ['request.path.startsWith("/v1/") && request.model == "gpt-4o"', true],
    ['request.stream', true],
    ['!request.stream', false],
    ['client.key == "team/app" && client.namespace == "team" && client.tenant == "shop"', true],
    ['client.labels["app"] in ["search", "checkout"]', true],
    ['client.labels.exists(name, client.labels[name] == "gold")', true],
    ['client.labels.all(name, name == "app") || client.labels.exists(name, name == "tier")', true],
  ])('%s: %s', (source, expected) => {
    expect(holds(source)).toBe(expected);
  });
});

describe('matches is RE2', () => {
  test.each([
    ['request.path.matches("^/v[0-9]+/")', true],
    ['request.path.matches("chat")', true],
    ['request.path.matches("^chat")', false],
    ['request.path . matches ("chat$")', true],
    ['request.path.matches(request.headers["x-pattern"])', true],
    ['request.model.matches("(?i)GPT")', true],
  ])('%s: %s', (source, expected) => {
    expect(holds(source)).toBe(expected);
  });

  test('so that no header can stall the process', () => {
    const headers = { 'x-region': `${'a'.repeat(50_000)}!` };
    const test = compileMatchExpression('request.headers["x-region"].matches("^(a+)+$")');
    const startedAt = performance.now();
    expect(test({ ...variables, request: { ...variables.request, headers } })).toBe(false);
    // Backtracking would take longer than the universe has been there.
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  test('and a pattern that RE2 does not have does not hold', () => {
    expect(holds('request.path.matches("(.)\\\\1")')).toBe(false);
    expect(holds('request.path.matches("(?=/v1)")')).toBe(false);
  });

  test('and its name inside a text is a text', () => {
    const path = 'x.matches("y")';
    expect(holds(`request.path == 'x.matches("y")'`, { request: { ...variables.request, path } })).toBe(true);
  });
});

describe('an error at run time means that the expression does not hold', () => {
  test.each([
    'request.headers["x-other"] == "eu"',
    '!(request.headers["x-other"] == "eu")',
    'client.labels["constructor"] != "x"',
    'int(request.model) > 1',
    '1 / 0 == 1',
  ])('%s', (source) => {
    expect(holds(source)).toBe(false);
  });
});

describe('an expression is refused', () => {
  test.each([
    ['request.path ==', 'Unexpected token: EOF'],
    ['request.path', 'the expression is a string, but must be a bool'],
    ['1', 'the expression is a int, but must be a bool'],
    ['request.body == ""', 'No such key: body'],
    ['user.name == ""', /user/],
    ['request.path == 1', /overload/],
    ['request.path.matches(1)', /matches/],
    ['client.labels.exists(a, client.labels.exists(b, a == b))', 'exists inside another loop is not allowed'],
    ['client.labels.map(a, a).exists(b, b == "")', 'map inside another loop is not allowed'],
    ['client.labels.all(a, [1, 2].filter(b, b > 1).size() == 1)', 'filter inside another loop is not allowed'],
    [Array(200).fill('request.stream').join(' && '), /exceeded|maxAstNodes|limit/i],
    [`${'('.repeat(200)}true${')'.repeat(200)}`, /depth/i],
  ])('%.60s', (source, message) => {
    expect(() => compileMatchExpression(source)).toThrow(message);
    expect(() => compileMatchExpression(source)).not.toThrow('re2find');
  });
});
