import { is, openaiError, type Vendor } from './vendor-case.ts';

function routed(code: number, message: string, metadata?: object) {
  return { error: { message, code, ...(metadata === undefined ? {} : { metadata }) }, user_id: 'user_2abc' };
}

/** https://openrouter.ai/docs/api-reference/errors */
export const openrouter: Vendor = {
  type: 'OpenRouter',
  cases: [
    [429, is.overloaded, routed(429, 'Provider returned error', { raw: 'google/gemini-2.0-flash-exp:free is temporarily rate-limited upstream. Please retry shortly, or add your own key to accumulate your rate limits: https://openrouter.ai/settings/integrations', provider_name: 'Google AI Studio' })],
    [429, is.rate, routed(429, 'Rate limit exceeded: free-models-per-min.', { headers: { 'X-RateLimit-Limit': '20', 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': '1767225630000' }, provider_name: null }), { resetMs: 30_000 }],
    [429, is.rate, routed(429, 'Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day', { headers: { 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': '1767283200000' } }), { resetMs: 300_000 }],
    [402, is.quota, routed(402, 'Insufficient credits. Add more using https://openrouter.ai/settings/credits')],
    [402, is.quota, routed(402, 'This request requires more credits, or fewer max_tokens. You requested up to 8192 tokens, but can only afford 3071.')],
    [403, is.quota, routed(403, 'Key limit exceeded (total limit). Manage it using https://openrouter.ai/settings/keys')],
    [403, is.filter, routed(403, 'openai/gpt-4o requires moderation on OpenAI. Your input was flagged for "violence". No credits were charged.', { reasons: ['violence'], flagged_input: '…', provider_name: 'OpenAI' }), { client: { status: 400, code: 'content_filter' } }],
    [403, is.network, routed(403, 'This model is not available in your region.')],
    [403, is.permission, routed(403, 'Only management keys can perform this operation')],
    [401, is.auth, routed(401, 'No auth credentials found')],
    [401, is.auth, routed(401, 'User not found.')],
    [400, is.noModel, routed(400, 'openai/gpt-9 is not a valid model ID')],
    [404, is.noModel, routed(404, 'No endpoints found for foo/bar.')],
    [404, is.noModel, routed(404, 'No endpoints found matching your data policy. Configure: https://openrouter.ai/settings/privacy')],
    [400, is.context, routed(400, "This endpoint's maximum context length is 131072 tokens. However, you requested about 140000 tokens (139000 of text input, 1000 in the output). Please reduce the length of either one, or use the \"middle-out\" transform to compress your prompt automatically.")],
    [400, is.bad, routed(400, 'Provider returned error', { raw: '{"error":{"message":"Invalid schema"}}', provider_name: 'Azure' }), { client: { message: 'Provider returned error' } }],
    // Whose quota it is: not ours
    [429, is.overloaded, routed(429, 'Provider returned error', { raw: '{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED"}}', provider_name: 'Google AI Studio', is_byok: false })],
    // open-webui/computer#293
    [429, is.overloaded, routed(429, 'Provider returned error', { raw: 'z-ai/glm-5.3-flash is temporarily rate-limited upstream.', provider_name: 'BaseTen', limit_source: 'upstream_provider_shared_pool', remedy_hint: 'Retry shortly' })],
    // BerriAI/litellm#8448
    [200, is.invalid, { choices: [], error: { message: 'Provider returned error', code: 429, metadata: { raw: 'error code: 1015', provider_name: 'Kluster' } } }, { as: 'invalid' }],
    [429, is.overloaded, routed(429, 'Provider returned error', { raw: 'error code: 1015', provider_name: 'Kluster' }), { as: 'frame' }],
    // What this request wants, which the next may not
    [404, is.unable, routed(404, 'No endpoints found that support tool use. To learn more about provider routing, visit: https://openrouter.ai/docs/provider-routing')],
    [404, is.unable, routed(404, 'No endpoints found that support image input')],
    [404, is.noModel, routed(404, 'No allowed providers are available for the selected model.')],
    // reVrost/go-openrouter#21
    [400, is.bad, routed(400, 'Provider returned error', { raw: "{\n  \"error\": {\n    \"message\": \"Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.\" } }", provider_name: 'OpenAI' })],
    [400, is.context, routed(400, 'Provider returned error', { raw: '{"error":{"message":"prompt is too long: 210000 tokens > 200000 maximum"}}', provider_name: 'Anthropic' })],
    [403, is.quota, routed(403, 'Key limit exceeded (daily limit). Manage it using https://openrouter.ai/settings/keys')],
    [408, is.timeout, routed(408, 'Your request timed out')],
    [502, is.server, routed(502, 'Your chosen model is down or we received an invalid response from it')],
    [503, is.overloaded, routed(503, 'There is no available model provider that meets your routing requirements')],
    [502, is.server, { id: 'gen-1', object: 'chat.completion.chunk', provider: 'OpenAI', error: { code: 502, message: 'Provider disconnected' }, choices: [{ index: 0, delta: { content: '' }, finish_reason: 'error' }] }, { as: 'frame' }],
    [500, is.server, { error: { code: 'server_error', message: 'Provider disconnected unexpectedly' }, choices: [] }, { as: 'frame' }],
    [429, is.rate, routed(429, 'Rate limit exceeded'), { as: 'invalid' }],
    [402, is.quota, routed(402, 'Insufficient credits'), { as: 'invalid' }],
    [200, is.invalid, routed(502, 'Provider returned error'), { as: 'invalid' }],
    [400, is.context, routed(400, "This endpoint's maximum context length is 8192 tokens."), { as: 'invalid' }],
    [200, is.invalid, { error: { message: 'Something happened' } }, { as: 'invalid' }],
  ],
};

/** https://docs.together.ai/docs/error-codes */
export const together: Vendor = {
  type: 'Together',
  cases: [
    [403, is.context, openaiError('Input token count + `max_tokens` parameter must be less than the context length of the model being queried.', 'invalid_request_error', null, 'max_tokens'), { client: { status: 400, code: 'context_length_exceeded' } }],
    [400, is.context, openaiError('Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. Given: 80125 `inputs` tokens and 4096 `max_new_tokens`', 'invalid_request_error', null, 'max_tokens')],
    [422, is.context, openaiError('Input validation error: `inputs` must have less than 8192 tokens. Given: 9000', 'invalid_request_error')],
    [403, is.permission, openaiError('You are not allowed to use this model.', 'access_denied')],
    [402, is.quota, openaiError('Credit limit exceeded, please navigate to https://api.together.ai/settings/billing to upgrade your plan', 'credit_limit', null)],
    [401, is.auth, openaiError('Invalid API key provided. You can find your API key at https://api.together.xyz/settings/api-keys.', 'invalid_request_error', 'invalid_api_key')],
    [404, is.noModel, openaiError('Unable to access model foo/bar. Please visit https://api.together.ai/models to view the list of supported models.', 'invalid_request_error', 'model_not_available')],
    [400, is.noModel, openaiError('Unable to access non-serverless model foo/bar.', 'invalid_request_error', 'model_not_available')],
    [429, is.rate, openaiError('You have reached the rate limit specific to this model foo/bar. The maximum rate limit for this model is 6.0 queries and 180000 tokens per minute.', 'rate_limit', null), { headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '9' }, resetMs: 9000 }],
    [429, is.overloaded, openaiError('The model is at capacity, please try again later.', 'model_rate_limit')],
    [500, is.server, openaiError('Internal server error', 'server_error')],
    [503, is.overloaded, openaiError('The server is currently overloaded with traffic. Please try again later.', 'service_unavailable')],
    [503, is.overloaded, openaiError('The server is overloaded or not ready yet.', 'service_unavailable')],
    [400, is.context, openaiError("This model's maximum context length is 131073 tokens. However, you requested 140000 tokens (138976 in the messages, 1024 in the completion).", 'invalid_request_error')],
    [524, is.server, '<!DOCTYPE html><title>api.together.xyz | 524: A timeout occurred</title>'],
  ],
};

/** https://docs.fireworks.ai/tools-sdks/inference-errors */
export const fireworks: Vendor = {
  type: 'Fireworks',
  cases: [
    [412, is.quota, { error: { object: 'error', type: 'invalid_request_error', code: 'PRECONDITION_FAILED', message: 'Account acme is suspended, possibly due to reaching the monthly spending limit or failure to pay past invoices.' } }],
    [404, is.noModel, { error: { object: 'error', type: 'invalid_request_error', code: 'NOT_FOUND', message: 'Model not found, inaccessible, and/or not deployed' } }],
    [401, is.auth, { error: 'unauthorized' }],
    [403, is.auth, { error: { object: 'error', type: 'error', code: 'invalid_api_key', message: 'The API key you provided is invalid.' } }],
    [429, is.rate, { error: { object: 'error', type: 'error', code: 'rate_limit_exceeded', message: 'Request rate limit exceeded' } }, { headers: { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '2s' }, resetMs: 2000 }],
    [429, is.overloaded, { error: { message: 'Model is currently overloaded, please try again later', code: 'TOO_MANY_REQUESTS' } }],
    [400, is.context, { error: { object: 'error', type: 'invalid_request_error', code: 'invalid_request_error', message: 'The prompt is too long: 140000, model maximum context length: 131071' } }],
    [400, is.bad, { error: { object: 'error', type: 'invalid_request_error', code: 'invalid_request_error', message: 'Extra inputs are not permitted, field: foo' } }],
    [503, is.overloaded, { error: { message: 'service overloaded' } }],
    // GordeyZuev/LEAP#6: too many at once, though it speaks of usage
    [429, is.rate, { error: 'Too Many Requests', message: 'You have exceeded your usage limits. Please try again later or contact Fireworks to explore dedicated capacity.' }],
    [500, is.server, { error: { object: 'error', type: 'internal_server_error', code: 'internal_server_error', message: 'server had an error while processing your request, please retry again after a brief wait' } }],
  ],
};

/** https://huggingface.co/docs/inference-providers */
export const huggingface: Vendor = {
  type: 'HuggingFace',
  cases: [
    [402, is.quota, { error: 'You have exceeded your monthly included credits for Inference Providers. Subscribe to PRO to get 20x more monthly included credits.' }],
    [401, is.auth, { error: 'Invalid username or password.' }],
    [403, is.permission, { error: 'This authentication method does not have sufficient permissions to call Inference Providers on behalf of user acme' }],
    [400, is.noModel, openaiError("The requested model 'foo/bar' is not supported by any provider you have enabled.", 'invalid_request_error', 'model_not_supported', 'model')],
    [400, is.noModel, openaiError("The requested model 'foo/bar' does not exist", 'invalid_request_error', 'model_not_found', 'model')],
    [404, is.noModel, 'Not Found'],
    [429, is.overloaded, { error: 'Model too busy, unable to get response in less than 60 second(s)', error_type: 'overloaded' }],
    [429, is.overloaded, { error: 'Model is overloaded', error_type: 'overloaded' }],
    [429, is.rate, { error: 'Rate limit reached. Please log in or use a HF access token' }],
    [503, is.overloaded, { error: 'Model foo/bar is currently loading', estimated_time: 20 }],
    [422, is.context, { error: 'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 2000 `inputs` tokens and 100 `max_new_tokens`', error_type: 'validation' }, { client: { status: 422 } }],
    [422, is.bad, { error: 'Input validation error: `temperature` must be strictly positive', error_type: 'validation' }, { client: { type: 'validation' } }],
    [424, is.server, { error: 'Request failed during generation: Server error', error_type: 'generation' }],
    [500, is.server, { error: 'unknown error' }],
    // Text generation inference: docs/source/basic_tutorials/consuming_tgi.md, router/src/server.rs
    [503, is.overloaded, { error: 'unhealthy', error_type: 'healthcheck' }],
    [500, is.server, { error: 'Incomplete generation', error_type: 'incomplete_generation' }],
    [500, is.server, { error: 'Request failed during generation: CUDA out of memory', error_type: 'generation' }, { as: 'frame' }],
    [400, is.server, { error: 'Bad Request: Invalid state: The endpoint is paused, ask a maintainer to restart it' }],
    [410, is.noModel, { error: 'https://api-inference.huggingface.co is no longer supported. Please use https://router.huggingface.co instead.' }],
    [429, is.rate, { error: 'Too many requests' }, { headers: { ratelimit: '"api";r=0;t=210' }, resetMs: 210_000 }],
  ],
};
