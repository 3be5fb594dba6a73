import { anthropicError as error, is, type Vendor } from './vendor-case.ts';

const empty = { 'anthropic-ratelimit-tokens-remaining': '0', 'anthropic-ratelimit-tokens-reset': '2026-01-01T00:00:42Z' };

/** https://docs.anthropic.com/en/api/errors */
export const anthropic: Vendor = {
  type: 'Anthropic',
  cases: [
    [429, is.rate, error('rate_limit_error', 'This request would exceed the rate limit for your organization (00000000-0000-0000-0000-000000000000) of 50 requests per minute. For details, refer to: https://docs.anthropic.com/en/api/rate-limits.'), { headers: { 'retry-after': '37' }, resetMs: 37_000 }],
    [429, is.rate, error('rate_limit_error', 'Number of request tokens has exceeded your per-minute rate limit.'), { headers: empty, resetMs: 42_000 }],
    [
      429,
      is.rate,
      error('rate_limit_error', 'Rate limited'),
      {
        headers: {
          ...empty,
          'anthropic-ratelimit-requests-remaining': '49',
          'anthropic-ratelimit-requests-reset': '2026-01-01T00:05:00Z',
          'anthropic-ratelimit-input-tokens-remaining': '0',
          'anthropic-ratelimit-input-tokens-reset': '2026-01-01T00:00:58Z',
        },
        resetMs: 58_000,
      },
    ],
    [429, is.rate, error('rate_limit_error', 'Rate limited'), { headers: { 'anthropic-ratelimit-unified-status': 'rejected', 'anthropic-ratelimit-unified-reset': '1767225720' }, resetMs: 120_000 }],
    [429, is.rate, error('rate_limit_error', 'Rate limited'), { headers: { 'anthropic-ratelimit-unified-status': 'allowed', 'anthropic-ratelimit-unified-reset': '1767225720' } }],
    [429, is.rateOfKey, error('rate_limit_error', "This request would exceed your account's rate limit. Please try again later.")],
    [429, is.quota, error('rate_limit_error', "This request would exceed your account's monthly spend limit. Please try again later.")],
    [429, is.quota, error('rate_limit_error', 'Your usage is paused.', { error_code: 'enforced_spend_limit_reached' })],
    [400, is.quota, error('invalid_request_error', 'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.')],
    [400, is.quota, error('invalid_request_error', 'You have reached your specified API usage limits. You will regain access on 2026-02-01 at 00:00 UTC.'), { resetMs: 86_400_000 }],
    // anthropics/claude-code#55998
    [400, is.quota, error('invalid_request_error', 'You have reached your specified workspace API usage limits. You will regain access on 2026-01-01 at 07:30 UTC.'), { resetMs: 27_000_000 }],
    [400, is.quota, error('invalid_request_error', 'You have reached your specified API usage limits. You will regain access on 2025-12-01 at 00:00 UTC.')],
    // anthropics/claude-code#42616, Wei-Shaw/sub2api#572: about this request, not about the key's limits
    [429, is.rateOfRequest, error('rate_limit_error', 'Extra usage is required for long context requests.')],
    [429, is.rate, error('rate_limit_error', 'Number of concurrent connections has exceeded your rate limit. Please try again later or contact sales at https://www.anthropic.com/contact-sales to discuss your options for a rate limit increase.')],
    [429, is.rate, error('rate_limit_error', 'This request would exceed the acceleration limit of your organization.'), { headers: { 'retry-after': '0' }, resetMs: 1000 }],
    [429, is.rate, error('rate_limit_error', 'Rate limited'), { headers: { 'anthropic-ratelimit-unified-status': 'rejected', 'anthropic-ratelimit-unified-reset': '1767225720', 'retry-after': '90' }, resetMs: 90_000 }],
    [402, is.quota, error('billing_error', 'There is an issue with your billing or payment information.')],

    [500, is.server, error('api_error', 'Internal server error')],
    [504, is.server, error('timeout_error', 'Request timed out')],
    [529, is.overloaded, error('overloaded_error', 'Overloaded')],
    [529, is.overloaded, error('overloaded_error', 'Overloaded'), { headers: { 'retry-after': '4' }, resetMs: 4000 }],
    [529, is.overloaded, ''],
    [503, is.overloaded, '<html><head><title>503 Service Temporarily Unavailable</title></head></html>'],

    [401, is.auth, error('authentication_error', 'invalid x-api-key')],
    [401, is.auth, error('authentication_error', 'OAuth token has expired.')],
    [403, is.permission, error('permission_error', 'Your API key does not have permission to use the specified resource.')],
    // What is said to countries and addresses that are not served.
    [403, is.network, error('forbidden', 'Request not allowed')],
    [403, is.permission, error('permission_error', 'OAuth token does not meet scope requirement user:inference')],
    [400, is.permission, error('invalid_request_error', 'This credential is only authorized for use with Claude Code and cannot be used for other API requests.')],
    [400, is.permission, error('invalid_request_error', 'The long context beta is not yet available for this subscription.')],
    [401, is.auth, error('authentication_error', 'x-api-key header is required')],
    [400, is.auth, error('invalid_request_error', 'This organization has been disabled.')],
    [404, is.noModel, error('not_found_error', 'model: claude-9-opus')],

    [400, is.context, error('invalid_request_error', 'prompt is too long: 208310 tokens > 200000 maximum'), { client: { status: 400, message: 'prompt is too long: 208310 tokens > 200000 maximum', type: 'invalid_request_error' } }],
    [400, is.context, error('invalid_request_error', 'input length and `max_tokens` exceed context limit: 190000 + 21333 > 200000, decrease input length or `max_tokens` and try again')],
    [413, is.tooLarge, error('request_too_large', 'Request exceeds the maximum size'), { client: { type: 'request_too_large' } }],
    [413, is.tooLarge, '<html>\n<head><title>413 Request Entity Too Large</title></head>\n<body><center>cloudflare</center></body>\n</html>'],
    [400, is.filter, error('invalid_request_error', 'Output blocked by content filtering policy')],
    [400, is.bad, error('invalid_request_error', 'messages.0.content: Input should be a valid list'), { client: { message: 'messages.0.content: Input should be a valid list' } }],
    [400, is.bad, error('invalid_request_error', 'max_tokens: 100000 > 8192, which is the maximum allowed number of output tokens for claude-3-5-sonnet-20241022')],
    [400, is.bad, error('invalid_request_error', 'messages: text content blocks must be non-empty')],

    [529, is.overloaded, error('overloaded_error', 'Overloaded'), { as: 'frame', event: 'error' }],
    [500, is.server, error('api_error', 'Internal server error'), { as: 'frame', event: 'error' }],
    [429, is.rate, error('rate_limit_error', 'Rate limited'), { as: 'frame', event: 'error' }],
    [400, is.bad, error('invalid_request_error', 'Something about the request'), { as: 'frame', event: 'error' }],
    [500, is.server, error('new_kind_of_error', 'What?'), { as: 'frame', event: 'error' }],
    [529, is.overloaded, { type: 'error', error: { details: null, type: 'overloaded_error', message: 'Overloaded' }, request_id: 'req_011CSHoEeqs5C35K2UUqR7Fy' }, { as: 'frame', event: 'error' }],
    [500, is.overloaded, error('overloaded_error', 'Overloaded')],
    [504, is.server, error('timeout_error', 'Request timed out'), { as: 'frame', event: 'error' }],
    [413, is.tooLarge, error('request_too_large', 'Request exceeds the maximum size'), { as: 'frame', event: 'error' }],
    [401, is.auth, error('authentication_error', 'invalid x-api-key'), { as: 'frame', event: 'error' }],
    [200, is.invalid, error('overloaded_error', 'Overloaded'), { as: 'invalid' }],
    [400, is.bad, error('invalid_request_error', 'messages.2: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_01A09q90qw90lq917835lq9. Each `tool_use` block must have a corresponding `tool_result` block in the next message.')],
    [400, is.bad, error('invalid_request_error', 'messages.0.content.1.image.source.base64: image exceeds 5 MB maximum: 6291456 bytes > 5242880 bytes')],
    [400, is.bad, error('invalid_request_error', 'The request body is not valid JSON: no low surrogate in string: line 1 column 301306 (char 301305)')],
    [520, is.server, '<!DOCTYPE html><html><head><title>api.anthropic.com | 520: Web server is returning an unknown error</title></head></html>'],
    [502, is.server, 'error code: 502'],
  ],
};
