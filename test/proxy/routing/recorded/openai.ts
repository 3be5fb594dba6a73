import { is, openaiError as error, type Vendor } from './vendor-case.ts';

const rpm = 'Rate limit reached for gpt-4o in organization org-AbCdEfGhIjKlMnOpQrStUvWx on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s. Visit https://platform.openai.com/account/rate-limits to learn more.';
const tpm = 'Rate limit reached for gpt-4o in organization org-AbCdEfGhIjKlMnOpQrStUvWx on tokens per min (TPM): Limit 30000, Used 29800, Requested 1200. Please try again in 2s. Visit https://platform.openai.com/account/rate-limits to learn more.';

/** https://platform.openai.com/docs/guides/error-codes */
export const openai: Vendor = {
  type: 'OpenAI',
  cases: [
    // 429
    [429, is.rate, error(rpm, 'requests', 'rate_limit_exceeded'), { resetMs: 20_000 }],
    [429, is.rate, error(tpm, 'tokens', 'rate_limit_exceeded'), { headers: { 'retry-after-ms': '1847', 'retry-after': '2' }, resetMs: 1847 }],
    [429, is.rate, error(tpm, 'tokens', 'rate_limit_exceeded'), { headers: { 'retry-after': '17' }, resetMs: 17_000 }],
    [
      429,
      is.rate,
      error('Rate limit reached.', 'tokens', 'rate_limit_exceeded'),
      {
        headers: {
          'x-ratelimit-remaining-requests': '4999',
          'x-ratelimit-reset-requests': '12ms',
          'x-ratelimit-remaining-tokens': '0',
          'x-ratelimit-reset-tokens': '1m12.5s',
        },
        resetMs: 72_500,
      },
    ],
    [429, is.rate, error('Too Many Requests'), { headers: { 'x-ratelimit-remaining-requests': '12', 'x-ratelimit-reset-requests': '6m0s' } }],
    [429, is.rate, error('Rate limit reached for requests', 'requests', null)],
    [429, is.rateOfRequest, error('Request too large for gpt-4o in organization org-AbCdEfGhIjKlMnOpQrStUvWx on tokens per min (TPM): Limit 30000, Requested 41248. The input or output tokens must be reduced in order to run successfully.', 'tokens', 'rate_limit_exceeded')],
    [429, is.quota, error('You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.', 'insufficient_quota', 'insufficient_quota')],
    [429, is.quota, error('You exceeded your current quota, please check your plan and billing details.', 'insufficient_quota', 'credit_balance_exhausted')],
    [429, is.quota, error('Your account is not active, please check your billing details on our website.', 'billing_not_active', 'billing_not_active')],
    [429, is.quota, error('You exceeded your current quota, please check your plan and billing details.')],
    [400, is.quota, error('Billing hard limit has been reached', 'invalid_request_error', 'billing_hard_limit_reached')],
    [429, is.overloaded, error('That model is currently overloaded with other requests. You can retry your request, or contact us through our help center at help.openai.com if the error persists.', 'server_error'), { headers: { 'retry-after': '5' }, resetMs: 5000 }],
    [429, is.overloaded, error('The engine is currently overloaded, please try again later', 'requests', 'engine_overloaded')],
    [429, is.overloaded, error('Resource Unavailable', 'resource_unavailable', 'resource_unavailable')],

    // 5xx
    [500, is.server, error('The server had an error while processing your request. Sorry about that!', 'server_error')],
    [
      500,
      is.server,
      error('The server had an error processing your request. Sorry about that! You can retry your request, or contact us through our help center if the error persists. (Please include the request ID req_4f1d8c0f in your message.)', 'server_error', null),
      { headers: { 'retry-after': '3' }, resetMs: 3000 },
    ],
    [502, is.server, error('Bad gateway.', 'cf_bad_gateway')],
    [503, is.overloaded, error('The engine is currently overloaded, please try again later.', 'server_error')],
    [503, is.overloaded, error('Slow Down', 'server_error', 'slow_down'), { headers: { 'retry-after': '900' }, resetMs: 300_000 }],
    [503, is.overloaded, error('Our servers are currently overloaded. Please try again later.', 'service_unavailable_error', 'server_is_overloaded')],
    [500, is.overloaded, error('Our servers are currently overloaded.', 'server_error', 'server_is_overloaded')],
    [504, is.server, error('Gateway timeout.', 'server_error')],

    // Credentials
    [401, is.auth, error('Incorrect API key provided: sk-proj-********************************AbCd. You can find your API key at https://platform.openai.com/account/api-keys.', 'invalid_request_error', 'invalid_api_key')],
    [401, is.auth, error("You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).", 'invalid_request_error')],
    [401, is.auth, error('You must be a member of an organization to use the API.', 'invalid_request_error', 'invalid_organization')],
    [401, is.auth, error('Your OpenAI account has been deactivated.', 'invalid_request_error', 'account_deactivated')],
    [401, is.auth, error('Your IP is not authorized.', 'invalid_request_error', 'ip_not_authorized')],
    [403, is.network, error('Country, region, or territory not supported', 'request_forbidden', 'unsupported_country_region_territory')],
    [403, is.permission, error('Project `proj_AbCdEfGhIjKlMnOp` does not have access to model `gpt-5`', 'invalid_request_error', 'model_not_found')],
    [403, is.permission, error('You have insufficient permissions for this operation. Missing scopes: model.request.', 'invalid_request_error', 'missing_scope')],

    // continuedev/continue#7064
    [400, is.permission, error('Your organization must be verified to stream this model. Please go to: https://platform.openai.com/settings/organization/general and click on Verify Organization. If you just verified, it can take up to 15 minutes for access to propagate.', 'invalid_request_error', 'unsupported_value', 'stream')],
    [401, is.auth, error('Your authentication token has been invalidated. Please try signing in again.', 'invalid_request_error', 'token_invalidated')],
    [401, is.auth, error('You have insufficient permissions for this operation. Missing scopes: model.request. Check that you have the correct role in your organization.', 'invalid_request_error', 'missing_scope')],

    // Models and other things that are not there
    [404, is.noModel, error('The model `gpt-9` does not exist or you do not have access to it.', 'invalid_request_error', 'model_not_found')],
    [404, is.noModel, error('The model `text-davinci-003` has been deprecated, learn more here: https://platform.openai.com/docs/deprecations', 'invalid_request_error', 'model_not_found')],
    [404, is.noModel, error('Invalid URL (POST /v1/chat/completion)', 'invalid_request_error')],
    [404, is.bad, error('No such File object: file-abc123', 'invalid_request_error', null, 'id'), { client: { status: 404, param: 'id' } }],
    [404, is.bad, error("Response with id 'resp_67ccd2bed1ec8190b14f964abc054267' not found.", 'invalid_request_error')],
    [404, is.bad, error("No batch found with id 'batch_abc'.", 'invalid_request_error')],
    [404, is.bad, error("No thread found with id 'thread_abc'.", 'invalid_request_error')],
    [400, is.bad, error("Previous response with id 'resp_abc' not found.", 'invalid_request_error', 'previous_response_not_found', 'previous_response_id')],

    // The client's own faults
    [
      400,
      is.bad,
      error("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", 'invalid_request_error', 'unsupported_parameter', 'max_tokens'),
      {
        client: {
          status: 400,
          code: 'unsupported_parameter',
          type: 'invalid_request_error',
          param: 'max_tokens',
          message: "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        },
      },
    ],
    [400, is.bad, error("Invalid type for 'temperature': expected a decimal, but got a string instead.", 'invalid_request_error', 'invalid_type', 'temperature')],
    [
      400,
      is.bad,
      error("An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: call_abcdefghijklmnopqrstuvwx", 'invalid_request_error', null, 'messages.[2].role'),
      {
        client: {
          message: "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: call_abcdefghijklmnopqrstuvwx",
        },
      },
    ],
    [400, is.bad, error('Error while downloading https://cdn.example.com/cat.png?sig=12345678.', 'invalid_request_error', 'invalid_image_url'), { client: { message: 'Error while downloading [redacted]' } }],
    [415, is.bad, error("Unsupported content type: 'text/plain'.", 'invalid_request_error', 'unsupported_content_type')],
    [422, is.bad, error('Unprocessable.', 'invalid_request_error')],
    [413, is.tooLarge, error('Maximum content size limit (26214400) exceeded (26214401 bytes read)', 'server_error'), { client: { status: 413 } }],
    [405, is.bad, error('Not allowed to GET on /v1/chat/completions', 'invalid_request_error', 'method_not_supported')],
    [
      400,
      is.context,
      error("This model's maximum context length is 128000 tokens. However, your messages resulted in 204308 tokens. Please reduce the length of the messages.", 'invalid_request_error', 'context_length_exceeded', 'messages'),
      { client: { status: 400, code: 'context_length_exceeded', param: 'messages' } },
    ],
    [400, is.context, error('Your input exceeds the context window of this model. Please adjust your input and try again.', 'invalid_request_error', 'context_length_exceeded', 'input')],
    [400, is.context, error("This model's maximum context length is 8192 tokens, however you requested 9000 tokens (9000 in your prompt; 0 for the completion). Please reduce your prompt; or completion length.", 'invalid_request_error'), { client: { code: 'context_length_exceeded' } }],
    [400, is.context, error('Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300001 tokens. Please reduce the length of the messages.', 'invalid_request_error', 'context_length_exceeded')],
    [400, is.context, error('Too much.', 'invalid_request_error', 'context_length_exceeded')],
    [413, is.context, error('Too much.', 'invalid_request_error', 'context_length_exceeded'), { client: { status: 413 } }],
    [400, is.filter, error('Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try again with a different prompt.', 'invalid_request_error', 'invalid_prompt')],
    [400, is.filter, error('Your request was rejected as a result of our safety system. Your prompt may contain text that is not allowed by our safety system.', 'image_generation_user_error', 'moderation_blocked')],

    // Waiting and locking
    [408, is.timeout, error('Request timed out.', 'server_error')],
    [408, is.timeout, error('Request timed out.', 'server_error'), { headers: { 'retry-after': '5' }, resetMs: 5000 }],
    [409, is.locked, error('The resource is locked by another request.', 'invalid_request_error', 'conflict')],
    [425, is.locked, ''],

    // In streams and in 200s
    [500, is.server, error('The server had an error while processing your request. Sorry about that!', 'server_error'), { as: 'frame' }],
    [
      500,
      is.server,
      {
        type: 'error',
        code: 'server_error',
        message: 'The model failed to generate a response.',
        param: null,
        sequence_number: 3,
      },
      { as: 'frame', event: 'error' },
    ],
    [
      429,
      is.rate,
      {
        type: 'error',
        code: 'rate_limit_exceeded',
        message: 'Rate limit reached for gpt-5 on tokens per min. Please try again in 1.5s.',
        param: null,
        sequence_number: 1,
      },
      { as: 'frame', event: 'error', resetMs: 1500 },
    ],
    [
      429,
      is.rate,
      {
        type: 'response.failed',
        sequence_number: 4,
        response: {
          id: 'resp_1',
          status: 'failed',
          error: { code: 'rate_limit_exceeded', message: 'Rate limit reached for gpt-5.' },
        },
      },
      { as: 'frame', event: 'response.failed' },
    ],
    [
      429,
      is.quota,
      {
        type: 'response.failed',
        response: {
          status: 'failed',
          error: { code: 'insufficient_quota', message: 'You exceeded your current quota.' },
        },
      },
      { as: 'frame', event: 'response.failed' },
    ],
    [
      503,
      is.overloaded,
      {
        type: 'response.failed',
        response: {
          status: 'failed',
          error: {
            code: 'server_is_overloaded',
            message: 'Our servers are currently overloaded. Please try again later.',
          },
        },
      },
      { as: 'frame', event: 'response.failed' },
    ],
    [
      400,
      is.context,
      {
        type: 'response.failed',
        response: {
          status: 'failed',
          error: { code: 'context_length_exceeded', message: 'Your input exceeds the context window of this model.' },
        },
      },
      { as: 'frame', event: 'response.failed' },
    ],
    [
      500,
      is.server,
      {
        type: 'response.failed',
        response: { status: 'failed', error: { code: 'vector_store_timeout', message: 'Something went wrong.' } },
      },
      { as: 'frame', event: 'response.failed' },
    ],
    // archestra-ai/archestra#443: the headers came inside the event
    [
      429,
      is.rateOfRequest,
      {
        type: 'error',
        sequence_number: 2,
        error: {
          type: 'tokens',
          code: 'rate_limit_exceeded',
          message: 'Request too large for gpt-4o in organization org-AbCdEfGhIjKlMnOpQrStUvWx on tokens per min (TPM): Limit 30000, Requested 36704. The input or output tokens must be reduced in order to run successfully. Visit https://platform.openai.com/account/rate-limits to learn more.',
          param: null,
          headers: { 'x-ratelimit-remaining-requests': '499', 'x-ratelimit-remaining-tokens': '29999', 'x-ratelimit-reset-requests': '120ms', 'x-ratelimit-reset-tokens': '0s' },
        },
      },
      { as: 'frame', event: 'error' },
    ],
    [
      429,
      is.rate,
      {
        type: 'error',
        error: {
          type: 'tokens',
          code: 'rate_limit_exceeded',
          message: 'Rate limit reached for gpt-4o on tokens per min (TPM).',
          headers: { 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '7s' },
        },
      },
      { as: 'frame', event: 'error', resetMs: 7000 },
    ],
    // openai/codex#19446
    [503, is.overloaded, { type: 'response.failed', response: { status: 'failed', error: { code: 'server_is_overloaded', message: 'Selected model is at capacity. Please try a different model.' } } }, { as: 'frame', event: 'response.failed' }],
    [400, is.filter, { type: 'response.failed', response: { status: 'failed', error: { code: 'invalid_prompt', message: 'Invalid prompt: your prompt was flagged.' } } }, { as: 'frame', event: 'response.failed' }],
    [400, is.bad, { type: 'error', code: 'invalid_request_error', message: 'The encrypted content could not be verified.', param: null }, { as: 'frame', event: 'error' }],
    [200, is.invalid, error('The server had an error.', 'server_error'), { as: 'invalid' }],
    [400, is.context, error("This model's maximum context length is 8192 tokens.", 'invalid_request_error', 'context_length_exceeded'), { as: 'invalid' }],
    [429, is.quota, error('You exceeded your current quota.', 'insufficient_quota', 'insufficient_quota'), { as: 'invalid' }],
    [200, is.invalid, 'data: {"id":"chatcmpl-1"}\n\n', { as: 'invalid' }],
    [200, is.invalid, '{"id":"chatcmpl-1","object":"chat.comp', { as: 'invalid' }],
    [200, is.invalid, 'null', { as: 'invalid' }],
    [200, is.invalid, '', { as: 'invalid' }],
    [200, is.invalid, '<html><body>Sign in</body></html>', { as: 'invalid' }],
    [200, is.invalid, { object: 'chat.completion', choices: [] }, { as: 'invalid' }],
    [200, is.invalid, { object: 'chat.completion', choices: [], code: 400, message: 'x' }, { as: 'invalid' }],
    [200, is.invalid, { error: { message: 'Nobody knows this.', code: 'new' } }, { as: 'invalid' }],

    // Something in front of the vendor
    [403, is.network, '<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title></head><body>Attention Required! | Cloudflare</body></html>'],
    [413, is.tooLarge, '<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body><center>cloudflare</center></body></html>', { client: { message: '' } }],
    [502, is.server, '<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center><hr><center>cloudflare</center></body></html>'],
    [520, is.server, '<!DOCTYPE html><title>api.openai.com | 520: Web server is returning an unknown error</title>'],
    [522, is.server, 'error code: 522'],
    [524, is.server, 'error code: 524'],
    [521, is.server, 'error code: 521'],
    [525, is.server, '<!DOCTYPE html><title>api.openai.com | 525: SSL handshake failed</title>'],
    [530, is.server, 'error code: 1033'],
    [403, is.network, 'error code: 1020'],
    [403, is.network, 'error code: 1010'],
    [429, is.rate, 'error code: 1015'],
    [301, is.invalid, '', { headers: { location: 'https://elsewhere.example/' } }],
    [307, is.invalid, ''],
    [204, is.invalid, ''],
  ],
};
