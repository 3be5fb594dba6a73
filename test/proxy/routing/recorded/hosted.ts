import { is, openaiError, type Vendor } from './vendor-case.ts';

/** https://console.groq.com/docs/errors */
export const groq: Vendor = {
  type: 'Groq',
  cases: [
    [429, is.rate, openaiError('Rate limit reached for model `llama-3.3-70b-versatile` in organization `org_01abcdefghijklmnop` service tier `on_demand` on tokens per minute (TPM): Limit 6000, Used 5536, Requested 993. Please try again in 5.289s. Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing', 'tokens', 'rate_limit_exceeded'), { resetMs: 5289 }],
    [429, is.rate, openaiError('Rate limit reached for model `llama-3.3-70b-versatile` on tokens per day (TPD): Limit 100000, Used 99336, Requested 1677. Please try again in 14m35.232s.', 'tokens', 'rate_limit_exceeded'), { resetMs: 300_000 }],
    [429, is.rate, openaiError('Rate limit reached', 'requests', 'rate_limit_exceeded'), { headers: { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '2m59.56s', 'x-ratelimit-remaining-tokens': '17997', 'x-ratelimit-reset-tokens': '7.66s' }, resetMs: 179_560 }],
    [429, is.rate, openaiError('Rate limit reached', 'requests', 'rate_limit_exceeded'), { headers: { 'retry-after': '2' }, resetMs: 2000 }],
    [413, is.rateOfRequest, openaiError('Request too large for model `llama-3.1-8b-instant` in organization `org_01abcdefghijklmnop` service tier `on_demand` on tokens per minute (TPM): Limit 6000, Requested 12057, please reduce your message size and try again.', 'tokens', 'rate_limit_exceeded')],
    [498, is.overloaded, openaiError('Flex tier capacity exceeded.', 'invalid_request_error', 'flex_capacity')],
    [503, is.overloaded, openaiError('llama-3.3-70b-versatile is currently over capacity. Please try again and back off exponentially.', 'internal_server_error')],
    [500, is.server, openaiError('Internal Server Error', 'internal_server_error')],
    [401, is.auth, openaiError('Invalid API Key', 'invalid_request_error', 'invalid_api_key')],
    [400, is.auth, openaiError('Organization has been restricted. Please reach out to support if you believe this was in error.', 'invalid_request_error', 'organization_restricted')],
    [404, is.noModel, openaiError('The model `foo` does not exist or you do not have access to it.', 'invalid_request_error', 'model_not_found')],
    [400, is.noModel, openaiError('The model `mixtral-8x7b-32768` has been decommissioned and is no longer supported.', 'invalid_request_error', 'model_decommissioned')],
    [403, is.permission, openaiError('The model `foo` is blocked at the project level.', 'permissions_error', 'model_permission_blocked_project')],
    [400, is.context, openaiError('Please reduce the length of the messages or completion.', 'invalid_request_error', 'context_length_exceeded', 'messages')],
    [400, is.bad, { error: { message: "Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.", type: 'invalid_request_error', code: 'tool_use_failed', failed_generation: '<function=x>' } }, { client: { code: 'tool_use_failed' } }],
    [400, is.bad, { error: { message: 'Failed to call a function.', type: 'invalid_request_error', code: 'tool_use_failed' }, status_code: 400 }, { as: 'frame', event: 'error' }],
    [422, is.bad, openaiError('Unprocessable entity', 'invalid_request_error')],
    [403, is.network, openaiError('Access denied. Please check your network settings.')],
    [400, is.permission, openaiError('The model `canopylabs/orpheus-v1-english` requires terms acceptance. Please have the org admin accept the terms at https://console.groq.com/playground?model=canopylabs%2Forpheus-v1-english', 'invalid_request_error', 'model_terms_required')],
    [400, is.bad, { error: { message: "Failed to generate JSON. Please adjust your prompt. See 'failed_generation' for more details.", type: 'invalid_request_error', code: 'json_validate_failed', failed_generation: '' } }],
  ],
};

/** https://inference-docs.cerebras.ai */
export const cerebras: Vendor = {
  type: 'Cerebras',
  cases: [
    [429, is.rate, { message: 'Requests per minute limit exceeded - too many requests sent.', type: 'too_many_requests_error', param: 'quota', code: 'request_quota_exceeded' }],
    [429, is.rate, { message: 'Tokens per minute limit exceeded - too many tokens processed.', type: 'too_many_tokens_error', param: 'quota', code: 'token_quota_exceeded' }, { headers: { 'x-ratelimit-remaining-tokens-minute': '0', 'x-ratelimit-reset-tokens-minute': '11.38', 'x-ratelimit-remaining-requests-day': '14000', 'x-ratelimit-reset-requests-day': '33011.38' }, resetMs: 11_380 }],
    [429, is.rate, { message: 'Requests per day limit exceeded - too many requests sent.', type: 'too_many_requests_error', param: 'quota', code: 'request_quota_exceeded' }, { headers: { 'x-ratelimit-remaining-requests-day': '0', 'x-ratelimit-reset-requests-day': '33011.38' }, resetMs: 300_000 }],
    [429, is.overloaded, { message: "We're experiencing high traffic right now! Please try again soon.", type: 'too_many_requests_error', param: 'queue', code: 'queue_exceeded' }],
    [402, is.quota, { message: 'Payment required to access this resource.', type: 'payment_required_error', param: 'billing', code: 'payment_required' }],
    [401, is.auth, { message: 'Wrong API Key', type: 'invalid_request_error', param: 'api_key', code: 'wrong_api_key' }],
    [404, is.noModel, { message: 'Model foo does not exist or you do not have access to it.', type: 'not_found_error', param: 'model', code: 'model_not_found' }],
    [400, is.context, { message: 'Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192', type: 'invalid_request_error', param: 'messages', code: 'context_length_exceeded' }, { client: { param: 'messages', code: 'context_length_exceeded' } }],
    [422, is.bad, { message: "body.tools: 'strict' must be the same for all tools", type: 'invalid_request_error', param: 'validation_error', code: 'wrong_api_format' }],
    [500, is.server, { message: 'Encountered a server error, please try again.', type: 'server_error', param: '', code: '' }],
    [503, is.overloaded, ''],
    // explyt/explyt#35
    [429, is.rate, { message: 'Requests per second limit exceeded - too many requests sent.', type: 'too_many_requests_error', param: 'quota', code: 'request_quota_exceeded' }],
  ],
};

/** https://docs.x.ai */
export const xai: Vendor = {
  type: 'XAI',
  cases: [
    [400, is.auth, { code: 'Client specified an invalid argument', error: 'Incorrect API key provided: xa***yz. You can obtain an API key from https://console.x.ai.' }],
    [403, is.quota, { code: 'The caller does not have permission to execute the specified operation', error: "Your newly created team doesn't have any credits or licenses yet. You can purchase those on https://console.x.ai/team/481c7584-ab46-4974-b86b-a4978384e229." }],
    [429, is.quota, { code: 'Some resource has been exhausted', error: 'Your team 16f2151a-40f4-4a80-8ad0-cae00c27e8dd has either used all available credits or reached its monthly spending limit. To continue making API requests, please purchase more credits or raise your spending limit.' }],
    [429, is.rate, { code: 'Some resource has been exhausted', error: 'Too many requests for team 16f2151a-40f4-4a80-8ad0-cae00c27e8dd and model grok-4. Your team reached the rate limit.' }],
    [429, is.overloaded, { code: 'Some resource has been exhausted', error: 'The model is currently at capacity due to high demand. Please try again in a few minutes.' }],
    [403, is.filter, { code: 'The caller does not have permission to execute the specified operation', error: 'Content violates usage guidelines. Team: 16f2151a-40f4-4a80-8ad0-cae00c27e8dd, API key ID: 481c7584-ab46-4974-b86b-a4978384e229, Model: grok-4-0709, Failed check: SAFETY_CHECK_TYPE_BIO' }, { client: { status: 400, message: 'Content violates usage guidelines. [redacted], [redacted], Model: grok-4-0709, Failed check: SAFETY_CHECK_TYPE_BIO' } }],
    [403, is.permission, { code: 'permission-denied', error: 'Access to the chat endpoint is denied.' }],
    [404, is.noModel, { code: 'Some requested entity was not found', error: 'The model grok-9 does not exist or your team 16f2151a does not have access to it.' }],
    [400, is.noModel, { code: 'Client specified an invalid argument', error: 'Model not found: grok-9' }],
    [400, is.context, { code: 'Client specified an invalid argument', error: "This model's maximum prompt length is 131072 but the request contains 200000 tokens." }],
    [400, is.bad, { code: 'Client specified an invalid argument', error: 'Argument not supported on this model: presencePenalty' }, { client: { code: 'Client specified an invalid argument', message: 'Argument not supported on this model: presencePenalty' } }],
    [422, is.bad, 'Failed to deserialize the JSON body into the target type: messages[0]: missing field `content` at line 1 column 60'],
    // griptape-ai/griptape-nodes-engine#1079
    [403, is.quota, { code: 'The caller does not have permission to execute the specified operation', error: "Your newly created teams doesn't have any credits yet. You can purchase credits on https://console.x.ai/team/c853730f-fe0f-4537-b8a2-0e6e33c8342d." }],
    // Anantys-oss/koan#2412
    [403, is.quota, { code: 'permission-denied', error: 'Your team 16f2151a-40f4-4a80-8ad0-cae00c27e8dd has either used all available credits or reached its monthly spending limit. To continue making API requests, please purchase more credits or raise your spending limit.' }],
    // Wei-Shaw/sub2api#4069
    [403, is.quota, { code: 'personal-team-blocked:spending-limit', error: 'You have run out of credits or need a Grok subscription. Add credits at https://grok.com/?_s=usage or upgrade at https://grok.com/supergrok.' }],
    [503, is.overloaded, { code: 'The service is currently unavailable', error: 'Service temporarily unavailable. The model is at capacity and currently cannot serve this request.' }],
  ],
};

/** https://api-docs.deepseek.com/quick_start/error_codes */
export const deepseek: Vendor = {
  type: 'DeepSeek',
  cases: [
    [402, is.quota, openaiError('Insufficient Balance', 'unknown_error', 'invalid_request_error')],
    [401, is.auth, openaiError('Authentication Fails, Your api key: ****abcd is invalid', 'authentication_error', 'invalid_request_error')],
    [400, is.noModel, openaiError('Model Not Exist', 'invalid_request_error', 'invalid_request_error')],
    [400, is.filter, openaiError('Content Exists Risk', 'invalid_request_error', 'invalid_request_error')],
    [400, is.context, openaiError("This model's maximum context length is 65536 tokens. However, you requested 190402 tokens (182402 in the messages, 8000 in the completion). Please reduce the length of the messages or completion.", 'invalid_request_error', 'invalid_request_error')],
    [400, is.bad, openaiError('The `reasoning_content` in the thinking mode must be passed back to the API.', 'invalid_request_error', 'invalid_request_error')],
    [422, is.bad, 'Failed to deserialize the JSON body into the target type: messages[1].role: unknown variant `developer`', { client: { status: 422, message: 'Failed to deserialize the JSON body into the target type: messages[1].role: unknown variant `developer`' } }],
    [429, is.rate, openaiError('Rate Limit Reached', 'rate_limit_error')],
    [500, is.server, openaiError('Server Error', 'server_error')],
    [503, is.overloaded, openaiError('Server Overloaded', 'server_error')],
    [503, is.overloaded, openaiError('Service is too busy. We advise users to temporarily switch to alternative LLM API service providers.', 'service_unavailable_error', 'service_unavailable_error')],
    [429, is.overloaded, openaiError('Service is too busy. We advise users to temporarily switch to alternative LLM API service providers.', 'service_unavailable_error', 'service_unavailable_error')],
    [400, is.bad, openaiError('Invalid max_tokens value, the valid range of max_tokens is [1, 8192]', 'invalid_request_error', 'invalid_request_error')],
  ],
};

/** https://docs.api.nvidia.com/nim */
export const nim: Vendor = {
  type: 'NvidiaNIM',
  cases: [
    [404, is.noModel, { status: 404, title: 'Not Found', detail: "Function 'e5f2c1a0': Not found for account 'aBcDeF'" }],
    [401, is.auth, { type: 'urn:kaizen:problem-details:unauthorized', title: 'Unauthorized', status: 401, detail: 'Bearer token is malformed' }],
    [403, is.permission, { status: 403, title: 'Forbidden', detail: 'Authorization failed' }],
    [402, is.quota, { status: 402, title: 'Payment Required', detail: "Account 'aBcDeF': Cloud credits expired - Please contact NVIDIA representatives" }],
    [429, is.rate, { status: 429, title: 'Too Many Requests' }],
    [400, is.context, { object: 'error', message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens in total.", type: 'BadRequestError', param: null, code: 400 }],
    [422, is.bad, { type: 'urn:inference-service:problem-details:validation-error', title: 'Validation Error', status: 422, detail: [{ loc: ['body', 'top_p'], msg: 'Input should be less than or equal to 1', type: 'less_than_equal' }] }, { client: { message: 'body.top_p: Input should be less than or equal to 1' } }],
    [500, is.server, { type: 'urn:inference-service:problem-details:internal-server-error', title: 'Internal Server Error', status: 500, detail: 'Inference error' }],
    [504, is.server, ''],
    // The function behind the model is broken; the request is not.
    [400, is.server, { status: 400, title: 'Bad Request', detail: "Function id 'e5f2c1a0' version 'a1b2': DEGRADED function cannot be invoked" }],
    [400, is.bad, { status: 400, title: 'Bad Request', detail: 'Inference error' }],
  ],
};

/** https://developers.cloudflare.com/workers-ai/platform/errors/ */
export const cloudflare: Vendor = {
  type: 'Cloudflare',
  cases: [
    [401, is.auth, { success: false, errors: [{ code: 10000, message: 'Authentication error' }], messages: [], result: null }],
    [403, is.auth, { success: false, errors: [{ code: 10000, message: 'Authentication error' }], messages: [], result: null }],
    [400, is.auth, { success: false, errors: [{ code: 9109, message: 'Invalid access token' }] }],
    [429, is.quota, { errors: [{ message: "AiError: you have used up your daily free allocation of 10,000 neurons, please upgrade to Cloudflare's Workers Paid plan", code: 4006 }], success: false, result: {}, messages: [] }],
    [429, is.rate, { errors: [{ message: 'AiError: Rate limited', code: 3040 }], success: false }],
    [429, is.overloaded, { errors: [{ message: 'AiError: Capacity temporarily exceeded, please try again.', code: 3040 }], success: false }],
    [400, is.noModel, { errors: [{ message: 'AiError: No such model @cf/meta/llama-9 or task', code: 5007 }], success: false, result: {}, messages: [] }],
    [400, is.noModel, { errors: [{ message: 'AiError: Model is gone', code: 5007 }], success: false }],
    [400, is.context, { errors: [{ message: 'AiError: The estimated number of input and maximum output tokens (9000) exceeded this model context window limit (8192).', code: 5021 }], success: false }],
    [400, is.bad, { errors: [{ message: "AiError: Bad input: Error: oneOf at '/' not met", code: 5006 }], success: false }],
    [500, is.server, { errors: [{ message: 'AiError: Internal error', code: 3043 }], success: false }],
    [408, is.timeout, { errors: [{ message: 'AiError: Request timeout', code: 3007 }], success: false }],
    [413, is.tooLarge, { errors: [{ message: 'AiError: Request too large', code: 3006 }], success: false }],
    [404, is.noModel, { success: false, errors: [{ code: 7003, message: 'Could not route to /client/v4/accounts/0a1b/ai/run/@cf/foo, perhaps your object identifier is invalid?' }], messages: [], result: null }],
    // https://developers.cloudflare.com/ai-gateway: `error` is a list
    [429, is.rate, { success: false, result: [], messages: [], error: [{ code: 2003, message: 'Rate limited' }] }],
    [400, is.bad, { success: false, result: [], messages: [], error: [{ code: 2001, message: 'Please configure AI Gateway in the Cloudflare dashboard' }] }, { client: { message: 'Please configure AI Gateway in the Cloudflare dashboard', code: '2001' } }],
    [502, is.server, 'error code: 502'],
  ],
};
