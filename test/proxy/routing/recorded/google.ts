import { googleError as error, is, type Vendor, type VendorCase } from './vendor-case.ts';

const retry = (retryDelay: string) => ({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay });
const quota = (...quotaIds: readonly string[]) => ({
  '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
  violations: quotaIds.map((quotaId) => ({ quotaMetric: 'generativelanguage.googleapis.com/generate_content_free_tier_requests', quotaId })),
});
const reason = (name: string) => ({ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: name, domain: 'googleapis.com' });
const exceeded = 'You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.';

/** The same errors arrive bare from the native API and inside an array from the OpenAI-compatible one. */
const both: readonly VendorCase[] = [
  [429, is.rate, error(429, 'RESOURCE_EXHAUSTED', exceeded, [quota('GenerateRequestsPerMinutePerProjectPerModel-FreeTier'), retry('46s')]), { resetMs: 46_000 }],
  [429, is.rate, error(429, 'RESOURCE_EXHAUSTED', `${exceeded}\nPlease retry in 22.441s.`, [quota('GenerateContentInputTokensPerModelPerMinute')]), { resetMs: 22_441 }],
  [429, is.rate, error(429, 'RESOURCE_EXHAUSTED', 'Resource has been exhausted (e.g. check quota).')],
  [429, is.quotaOfModel, error(429, 'RESOURCE_EXHAUSTED', exceeded, [quota('GenerateRequestsPerDayPerProjectPerModel-FreeTier'), retry('35637.7s')]), { resetMs: 35_637_700 }],
  [429, is.quotaOfModel, error(429, 'RESOURCE_EXHAUSTED', `${exceeded}\n* Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 0, model: gemini-2.5-pro\nPlease retry in 10h2m5s.`), { resetMs: 36_125_000 }],
  [429, is.quotaOfModel, error(429, 'RESOURCE_EXHAUSTED', 'Your quota is used up.', [quota('GenerateRequestsPerMinutePerProjectPerModel', 'GenerateRequestsPerDayPerProjectPerModel'), retry('400000s')]), { resetMs: 86_400_000 }],
  [400, is.auth, error(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [reason('API_KEY_INVALID')])],
  [400, is.auth, error(400, 'INVALID_ARGUMENT', 'API key expired. Please renew the API key.', [reason('API_KEY_INVALID')])],
  [401, is.auth, error(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.')],
  [403, is.auth, error(403, 'PERMISSION_DENIED', 'Your API key was reported as leaked. Please use another API key.')],
  [403, is.permission, error(403, 'PERMISSION_DENIED', "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.")],
  [403, is.permission, error(403, 'PERMISSION_DENIED', 'Generative Language API has not been used in project 123456 before or it is disabled.', [reason('SERVICE_DISABLED')])],
  [403, is.quota, error(403, 'PERMISSION_DENIED', 'This API method requires billing to be enabled.', [reason('BILLING_DISABLED')])],
  [402, is.quota, error(402, 'PAYMENT_REQUIRED', 'Your prepayment credits are depleted.')],
  [404, is.noModel, error(404, 'NOT_FOUND', 'models/gemini-9-pro is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.')],
  [400, is.context, error(400, 'INVALID_ARGUMENT', 'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).')],
  [400, is.bad, error(400, 'INVALID_ARGUMENT', 'Invalid JSON payload received. Unknown name "foo": Cannot find field.'), { client: { status: 400, type: 'INVALID_ARGUMENT' } }],
  // Where the proxy stands, not the client.
  [400, is.network, error(400, 'FAILED_PRECONDITION', 'User location is not supported for the API use.')],
  // diegosouzapw/OmniRoute#9504: called a day's quota, and back within a minute
  [429, is.quotaOfModel, error(429, 'RESOURCE_EXHAUSTED', `${exceeded}\n* Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 20, model: gemini-3.6-flash\nPlease retry in 36.429760048s.`, [quota('GenerateRequestsPerDayPerProjectPerModel-FreeTier'), retry('36s')]), { resetMs: 36_000 }],
  // JeffOtano/roni#125
  [429, is.quota, error(429, 'RESOURCE_EXHAUSTED', 'Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects to manage your project and billing.')],
  [429, is.quota, error(429, 'RESOURCE_EXHAUSTED', 'Your project has exceeded its monthly spending cap. Please go to AI Studio at https://ai.studio/spend to manage your project spend cap.')],
  // google-gemini/gemini-cli#26633 and #23520
  [429, is.overloaded, error(429, 'RESOURCE_EXHAUSTED', 'No capacity available for model gemini-3.1-flash-lite on the server', [reason('MODEL_CAPACITY_EXHAUSTED')])],
  [503, is.overloaded, error(503, 'UNAVAILABLE', 'No capacity available for model on the server', [reason('MODEL_CAPACITY_EXHAUSTED')])],
  [503, is.overloaded, error(503, 'UNAVAILABLE', 'This model is currently experiencing high demand. Spikes in demand are usually temporary. Please try again later.')],
  // google-gemini/gemini-cli#10925
  [429, is.quotaOfModel, error(429, 'RESOURCE_EXHAUSTED', "Quota exceeded for quota metric 'Gemini 2.5 Pro Requests' and limit 'Gemini 2.5 Pro Requests per day per user per tier' of service 'cloudcode-pa.googleapis.com' for consumer 'project_number:681255809395'.", [reason('RATE_LIMIT_EXCEEDED')])],
  // Wei-Shaw/claude-relay-service#746
  [429, is.quotaOfModel, error(429, 'RESOURCE_EXHAUSTED', 'You have exhausted your capacity on this model. Your quota will reset after 5h59m59s.', [reason('QUOTA_EXHAUSTED'), retry('21599.960323804s')]), { resetMs: 21_599_961 }],
  [429, is.quotaOfModel, error(429, 'RESOURCE_EXHAUSTED', 'You have exhausted your capacity on this model. Your quota will reset after 5h59m59s.', [reason('QUOTA_EXHAUSTED')]), { resetMs: 21_599_000 }],
  [403, is.auth, error(403, 'PERMISSION_DENIED', "Permission denied: Consumer 'api_key:AIzaSyA-0123456789' has been suspended.", [reason('CONSUMER_SUSPENDED')])],
  [403, is.permission, error(403, 'PERMISSION_DENIED', 'Requests from referer <empty> are blocked.', [reason('API_KEY_HTTP_REFERRER_BLOCKED')])],
  [400, is.context, error(400, 'INVALID_ARGUMENT', 'The input token count exceeds the maximum number of tokens allowed 1048576.')],
  [400, is.bad, error(400, 'INVALID_ARGUMENT', 'Request payload size exceeds the limit: 20971520 bytes.')],
  [400, is.bad, error(400, 'INVALID_ARGUMENT', 'Please ensure that function call turn comes immediately after a user turn or after a function response turn.')],
  [500, is.server, error(500, 'INTERNAL', 'An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting')],
  [503, is.overloaded, error(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.')],
  [503, is.overloaded, error(503, 'UNAVAILABLE', 'The service is currently unavailable.', [retry('900s')]), { resetMs: 300_000 }],
  [504, is.server, error(504, 'DEADLINE_EXCEEDED', 'The request timed out. Please try again.')],
  [499, is.server, error(499, 'CANCELLED', 'The operation was cancelled.')],
];

/** https://ai.google.dev/gemini-api/docs/troubleshooting */
export const gemini: Vendor = {
  type: 'Gemini',
  cases: [
    ...both,
    [429, is.quotaOfModel, { error: { code: 'quota_exceeded', message: 'You have exceeded your daily quota.' } }],
    [429, is.rate, { error: { code: 'rate_limit_exceeded', message: 'Too many requests per minute.' } }],
    [429, is.overloaded, error(429, 'RESOURCE_EXHAUSTED', 'Resource exhausted. Please try again later. Please refer to https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details.')],
    [503, is.overloaded, error(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.'), { as: 'frame' }],
    [429, is.rate, [error(429, 'RESOURCE_EXHAUSTED', exceeded, [retry('3s')])], { as: 'frame', resetMs: 3000 }],
  ],
};

/** Gemini behind its OpenAI-compatible endpoint, as a generic provider. */
export const geminiCompatible: Vendor = {
  type: 'OpenAICompatible',
  cases: both.map(([status, verdict, body, extra]) => (extra === undefined ? [status, verdict, [body]] : [status, verdict, [body], extra])),
};

/** https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 */
export const vertex: Vendor = {
  type: 'VertexAI',
  cases: [
    [429, is.overloaded, error(429, 'RESOURCE_EXHAUSTED', 'Resource exhausted. Please try again later. Please refer to https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details.')],
    [429, is.overloaded, error(429, 'RESOURCE_EXHAUSTED', 'Resource has been exhausted (e.g. check quota).')],
    [429, is.rate, error(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded for aiplatform.googleapis.com/generate_content_requests_per_minute_per_project_per_base_model with base model: gemini-2.5-pro. Please submit a quota increase request.')],
    [400, is.context, { type: 'error', error: { type: 'invalid_request_error', message: 'Prompt is too long' } }],
    [403, is.permission, error(403, 'PERMISSION_DENIED', "Permission 'aiplatform.endpoints.predict' denied on resource '//aiplatform.googleapis.com/projects/p/locations/l/publishers/google/models/m' (or it may not exist).")],
    [404, is.noModel, error(404, 'NOT_FOUND', 'Publisher Model `projects/p/locations/us-central1/publishers/google/models/gemini-9` was not found or your project does not have access to it.')],
    [400, is.bad, error(400, 'FAILED_PRECONDITION', 'Precondition check failed.')],
    // anthropics/claude-code#1440
    [429, is.rate, error(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded for aiplatform.googleapis.com/online_prediction_input_tokens_per_minute_per_base_model with base model: anthropic-claude-opus-4. Please submit a quota increase request. https://cloud.google.com/vertex-ai/docs/generative-ai/quotas-genai.')],
    [429, is.rate, [error(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded for aiplatform.googleapis.com/online_prediction_requests_per_base_model with base model: anthropic-claude-3-5-sonnet-v2.')]],
    [429, is.rate, { type: 'error', error: { type: 'rate_limit_error', message: 'Rate limited' } }],
    // yym68686/uni-api#41
    [400, is.permission, [error(400, 'FAILED_PRECONDITION', 'Project `acme-prod-123` is not allowed to use Publisher Model `projects/acme-prod-123/locations/asia-southeast1/publishers/anthropic/models/claude-3-sonnet@20240229`')]],
    [400, is.context, error(400, 'INVALID_ARGUMENT', 'Unable to submit request because the input token count is 1048577 but model only supports up to 1048576. Reduce the input token count and try again. You can also use the CountTokens API to calculate prompt token count and billable characters.')],
    [401, is.auth, error(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.', [reason('ACCESS_TOKEN_EXPIRED')])],
    [403, is.quota, error(403, 'PERMISSION_DENIED', 'This API method requires billing to be enabled. Please enable billing on project #123.', [reason('BILLING_DISABLED')])],
    [500, is.server, error(500, 'INTERNAL', 'Internal error encountered.'), { as: 'frame' }],
    [504, is.server, [error(504, 'DEADLINE_EXCEEDED', 'Deadline expired before operation could complete.')], { as: 'frame' }],
    [529, is.overloaded, { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }],
  ],
};
