import { is, openaiError, type Vendor } from './vendor-case.ts';

function error(code: string, message: string, more: object = {}) {
  return { error: { code, message, ...more } };
}

const filtered = {
  param: 'prompt',
  type: null,
  status: 400,
  innererror: {
    code: 'ResponsibleAIPolicyViolation',
    content_filter_result: { hate: { filtered: true, severity: 'high' }, violence: { filtered: false, severity: 'safe' } },
  },
};

/** https://learn.microsoft.com/azure/ai-services/openai */
export const azure: Vendor = {
  type: 'AzureOpenAI',
  cases: [
    [429, is.rate, error('429', 'Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 have exceeded call rate limit of your current OpenAI S0 pricing tier. Please retry after 7 seconds. Please go here: https://aka.ms/oai/quotaincrease if you would like to further increase the default rate limit.'), { resetMs: 7000 }],
    [429, is.rate, error('429', 'Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 59 seconds.'), { headers: { 'retry-after': '58', 'retry-after-ms': '57712' }, resetMs: 57_712 }],
    [429, is.rate, error('RateLimitReached', 'Rate limit is exceeded. Try again in 10 seconds.'), { resetMs: 10_000 }],
    [429, is.rate, error('too_many_requests', 'Too Many Requests'), { headers: { 'x-ratelimit-remaining-requests': '-1', 'x-ratelimit-reset-requests': '0', 'x-ratelimit-remaining-tokens': '-1', 'x-ratelimit-reset-tokens': '0' } }],
    [429, is.rate, { statusCode: 429, message: 'Rate limit is exceeded. Try again in 30 seconds.' }, { resetMs: 30_000 }],
    [429, is.quota, openaiError('You exceeded your current quota, please check your plan and billing details.', 'insufficient_quota', 'insufficient_quota')],
    [403, is.quota, { statusCode: 403, message: 'Out of call volume quota. Quota will be replenished in 10.00:00:00.' }, { resetMs: 86_400_000 }],
    [403, is.quota, { statusCode: 403, message: 'Out of call volume quota. Quota will be replenished in 02:30:15.' }, { resetMs: 9_015_000 }],
    // icereed/paperless-gpt#814
    [429, is.rate, error('429', 'Your requests to gpt-4.1-nano for gpt-4.1-nano in Sweden Central have exceeded the token rate limit for your current AIServices S0 pricing tier. This request was for ChatCompletions_Create under Azure OpenAI API version 2023-05-15. Please retry after 45 seconds.'), { resetMs: 45_000 }],
    // alex-wolf-ps/dbchatprov2#2: a day, which no minute's limit can mean
    [429, is.rate, error('429', 'Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-05-01-preview have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 86400 seconds.'), { resetMs: 300_000 }],
    // anomalyco/opencode#2244
    [429, is.rate, { type: 'error', sequence_number: 2, error: { type: 'server_error', code: 'rate_limit_exceeded', message: 'Rate limit is exceeded.\nTry again in 26 seconds.', param: null } }, { as: 'frame', event: 'error', resetMs: 26_000 }],
    [409, is.locked, error('RequestConflict', 'The request was terminated by another one.')],
    // pollinations/pollinations#6260
    [429, is.overloaded, error('429', 'The system is currently experiencing high demand and cannot process your request. Your request exceeds the maximum usage size allowed during peak load. For improved latency reliability, consider switching to Provisioned Throughput.'), { headers: { 'retry-after-ms': '20100', 'retry-after': '20' }, resetMs: 20_100 }],
    [429, is.overloaded, error('429', 'The system is currently experiencing high demand and cannot process your request. Your request exceeds the maximum usage size allowed during peak load. Please retry after 20 seconds. For improved capacity reliability, consider switching to Provisioned Throughput.'), { resetMs: 20_000 }],
    [429, is.overloaded, error('NoCapacity', 'There is no capacity right now.')],
    [503, is.overloaded, error('ServiceUnavailable', 'The service is temporarily unable to process your request. Please try again later.'), { headers: { 'retry-after': '12' }, resetMs: 12_000 }],
    [500, is.server, error('InternalServerError', 'The server had an error while processing your request. Sorry about that!')],
    [500, is.server, error('500', 'Internal server error')],
    [502, is.server, error('BadGateway', 'Bad gateway')],
    [504, is.server, '<html><head><title>504 Gateway Time-out</title></head><body><center>Microsoft-Azure-Application-Gateway/v2</center></body></html>'],
    [408, is.timeout, error('Timeout', 'The operation was timeout.')],
    [424, is.server, error('FailedDependency', 'A dependency failed.')],

    [401, is.auth, error('401', 'Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.')],
    [401, is.auth, { statusCode: 401, message: 'Unauthorized. Access token is missing, invalid, audience is incorrect (https://cognitiveservices.azure.com), or have expired.' }],
    [401, is.auth, error('PermissionDenied', 'The principal `0f1e2d3c` lacks the required data action `Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action` to perform `POST /openai/deployments/{deployment-id}/chat/completions` operation.')],
    [403, is.network, error('AccessDenied', 'Access denied due to Virtual Network/Firewall rules.')],
    [403, is.network, error('403', 'Public access is disabled. Please configure private endpoint.')],
    [403, is.network, error('403', 'Traffic is not from an approved private endpoint.')],
    [403, is.network, error('403', 'Your resource has been temporarily blocked because we detected behavior that may violate our content policy.')],
    [403, is.permission, error('AuthenticationTypeDisabled', 'Key based authentication is disabled for this resource.')],

    [404, is.noModel, error('DeploymentNotFound', 'The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.')],
    [404, is.noModel, error('404', 'Resource not found')],
    [404, is.noModel, error('ModelNotFound', 'The model does not exist.')],
    [400, is.noModel, error('unknown_model', 'Unknown model: gpt-9')],

    [400, is.filter, error('content_filter', "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry. To learn more about our content filtering policies please read our documentation: https://go.microsoft.com/fwlink/?linkid=2198766", filtered), { client: { status: 400, code: 'content_filter', param: 'prompt' } }],
    [400, is.filter, error('400', "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."), { client: { code: 'content_filter' } }],
    [400, is.filter, error('content_policy_violation', 'Your request was rejected as a result of our safety system.', { inner_error: { code: 'ResponsibleAIPolicyViolation' } })],
    [400, is.filter, error('content_filter', 'Blocked.', filtered), { as: 'frame' }],
    [400, is.context, openaiError("This model's maximum context length is 16385 tokens. However, your messages resulted in 20000 tokens. Please reduce the length of the messages.", 'invalid_request_error', 'context_length_exceeded', 'messages')],
    [400, is.bad, error('OperationNotSupported', 'The chatCompletion operation does not work with the specified model, text-embedding-ada-002. Please choose different model and try again.')],
    [400, is.bad, error('BadRequest', 'response_format value as json_schema is enabled only for api versions 2024-08-01-preview and later')],
    [400, is.bad, error('InvalidApiVersionParameter', 'The specified api-version is invalid.'), { client: { code: 'InvalidApiVersionParameter' } }],
    [413, is.tooLarge, error('413', 'Request body too large.')],
    [422, is.bad, { error: { code: 'Invalid input', status: 422, message: 'invalid input error', details: [{ type: 'extra_forbidden', loc: ['body', 'foo'], msg: 'Extra inputs are not permitted' }] } }, { client: { status: 422, message: 'invalid input error' } }],
    [500, is.server, error('InternalServerError', 'Backend returned unexpected response. Please contact Microsoft for help.')],
    [403, is.permission, error('Forbidden', 'The principal lacks a role.')],
  ],
};
