import { describe, expect, test } from 'vitest';
import type { Failure } from '../../../proxy/canonical/failure.ts';
import type { ProviderType } from '../../../proxy/config/schema.ts';
import { createClassifier } from '../../../proxy/routing/classify.ts';
import { statusOfName } from '../../../proxy/routing/error-status.ts';

const classify = createClassifier({ clock: { now: () => 0, setTimer: () => ({ cancel: () => undefined }) } });

function judged(type: ProviderType, status: number, error: object): string {
  const body = JSON.stringify({ error: { message: 'No.', ...error } });
  const { class: failureClass, scope, hard }: Failure = classify(type, { type: 'answer', status, headers: {}, body });
  return `${failureClass} ${scope}${hard ? ' hard' : ''}`;
}

/** What an answer means whose sentence says nothing, by the name alone. */
const meanings: readonly (readonly [verdict: string, status: number, names: string, type?: ProviderType])[] = [
  [
    'Overloaded backend-model',
    500,
    'overloaded_error overloaded server_is_overloaded slow_down engine_overloaded engine_overloaded_error ' +
      'model_overloaded service_unavailable_error UNAVAILABLE ServiceUnavailableException',
  ],
  [
    'Overloaded backend-model',
    429,
    'overloaded_error ModelNotReadyException capacity_exceeded service_tier_capacity_exceeded queue_exceeded ' +
      'resource_unavailable NoCapacity',
  ],
  ['Overloaded backend-model', 429, '3505', 'Mistral'],
  [
    'ContextLength none',
    400,
    'context_length_exceeded context_window_exceeded model_context_window_exceeded exceed_context_size_error',
  ],
  [
    'ContentFilter none',
    403,
    'content_filter contentFilter ResponsibleAIPolicyViolation content_policy_violation moderation_blocked ' +
      'invalid_prompt data_inspection_failed',
  ],
  [
    'Quota key hard',
    400,
    'insufficient_quota insufficient_balance insufficient_credits credit_balance_exhausted credit_limit_exceeded ' +
      'billing_error billing_hard_limit_reached billing_not_active BILLING_DISABLED payment_required ' +
      'enforced_spend_limit_reached exceeded_current_quota_error ServiceQuotaExceededException usage_limit_reached ' +
      'usage_not_included budget_exceeded token_quota_reached NOT_ENOUGH_BALANCE Arrearage',
  ],
  ['Quota key-model hard', 429, 'quota_exceeded', 'Gemini'],
  ['Quota key-model hard', 429, 'quota_exceeded', 'VertexAI'],
  ['RateLimit key-model', 429, 'quota_exceeded', 'OpenAI'],
  [
    'RateLimit key-model',
    400,
    'rate_limit_exceeded rate_limit_error rate_limited rateLimitExceeded userRateLimitExceeded ThrottlingException',
  ],
  ['RateLimit none', 413, 'rate_limit_exceeded rate_limit_error'],
  [
    'Authentication key hard',
    403,
    'invalid_api_key API_KEY_INVALID API_KEY_EXPIRED authentication_error UnrecognizedClientException ' +
      'ExpiredTokenException InvalidSignatureException IncompleteSignature IncompleteSignatureException ' +
      'MissingAuthenticationTokenException organization_restricted account_deactivated CONSUMER_SUSPENDED',
  ],
  ['Authentication key hard', 403, '10000 9109', 'Cloudflare'],
  ['Authentication key hard', 400, '10000', 'Cloudflare'],
  ['Permission key-model hard', 400, 'key_model_access_denied team_model_access_denied model_terms_required'],
  ['Permission key-model hard', 401, 'key_model_access_denied'],
  ['Permission backend', 403, 'unsupported_country_region_territory'],
  [
    'ModelNotFound backend',
    400,
    'model_not_found model_decommissioned model_not_supported model_not_available invalid_model unknown_model ' +
      'DeploymentNotFound',
  ],
  ['ModelNotFound backend', 422, 'model_not_found'],
  ['ModelNotFound backend', 400, '5007', 'Cloudflare'],
  ['ModelNotFound backend', 400, '1500', 'Mistral'],
  ['BadRequest none', 400, '3505 5007 1500 10000 9109', 'OpenAI'],
  ['ModelNotFound none', 501, 'not_supported_error'],
  ['ServerError backend', 501, 'something_else'],
  ['ServerError backend', 400, 'ConflictException'],
];

describe('what an error is called', () => {
  for (const [verdict, status, names, type = 'OpenAICompatible'] of meanings) {
    test.each(names.split(' '))(`${status} %s is ${verdict}`, (name) => {
      expect(judged(type, status, { code: name })).toBe(verdict);
      expect(judged(type, status, { type: name })).toBe(verdict);
    });
  }

  test("Google's reasons are names too, and only its RESOURCE_EXHAUSTED is everything", () => {
    const details = [{ reason: 'QUOTA_EXHAUSTED' }];
    expect(judged('Gemini', 429, { status: 'RESOURCE_EXHAUSTED', details })).toBe('Quota key-model hard');
    expect(judged('Gemini', 429, { status: 'RESOURCE_EXHAUSTED' })).toBe('RateLimit key-model');
    expect(judged('Gemini', 403, { status: 'RESOURCE_EXHAUSTED' })).toBe('RateLimit key-model');
  });
});

describe('where sentences decide', () => {
  test.each([
    [422, 'Your input was flagged.', 'ContentFilter none'],
    [451, 'Your input was flagged.', 'ContentFilter none'],
    [423, 'Your input was flagged.', 'BadRequest none'],
    [413, 'prompt is too long', 'ContextLength none'],
    [414, 'prompt is too long', 'BadRequest none'],
    [403, 'You have run out of credits', 'Quota key hard'],
    [404, 'You have run out of credits', 'ModelNotFound backend'],
    [412, 'Account acme is suspended', 'Quota key hard'],
    [422, 'Model not found', 'ModelNotFound backend'],
    [423, 'Model not found', 'BadRequest none'],
    [403, 'RBAC: access denied', 'Permission backend'],
  ])('%i %s', (status, message, verdict) => {
    expect(judged('OpenAICompatible', status, { message })).toBe(verdict);
  });

  test('a rate limit by name is one with 403 too', () => {
    expect(judged('OpenAICompatible', 403, { code: 'rate_limit_exceeded' })).toBe('RateLimit key-model');
  });
});

/** https://platform.openai.com/docs/guides/error-codes, docs.anthropic.com, google.rpc.Code, the API of Bedrock. */
const statuses: Readonly<Record<number, string>> = {
  400:
    'invalid_request_error badrequesterror content_filter content_policy_violation context_length_exceeded ' +
    'context_window_exceeded exceed_context_size_error tool_use_failed invalid_prompt invalid_argument ' +
    'failed_precondition validationexception servicequotaexceededexception',
  401: 'authentication_error invalid_api_key authenticationerror unauthenticated',
  402: 'insufficient_credits insufficient_balance payment_required billing_error',
  403: 'permission_error permissiondeniederror permission_denied accessdeniedexception',
  404: 'not_found_error notfounderror model_not_found not_found resourcenotfoundexception',
  408: 'modeltimeoutexception',
  413: 'request_too_large',
  424: 'modelerrorexception modelstreamerrorexception',
  429:
    'insufficient_quota exceeded_current_quota_error quota_exceeded usage_limit_reached rate_limit_error ' +
    'rate_limit_exceeded rate_limited ratelimiterror too_many_requests requests tokens resource_exhausted ' +
    'throttlingexception modelnotreadyexception',
  500: 'server_error internal_server_error internalservererror api_error internal internalserverexception',
  503: 'server_is_overloaded engine_overloaded_error service_unavailable_error slow_down overloaded unavailable serviceunavailableexception',
  504: 'timeout_error deadline_exceeded',
  529: 'overloaded_error',
};

describe('the status that an error would have had', () => {
  for (const [status, names] of Object.entries(statuses)) {
    test.each(names.split(' '))(`%s: ${status}`, (name) => {
      expect(statusOfName(name)).toBe(Number(status));
    });
  }

  test('is not known of names that are not', () => {
    expect(statusOfName('new_kind_of_error')).toBeUndefined();
    expect(statusOfName('')).toBeUndefined();
  });
});
