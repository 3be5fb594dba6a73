import { is, openaiError, type Vendor } from './vendor-case.ts';

const tpm = "litellm.RateLimitError: AzureException RateLimitError - Error code: 429 - {'error': {'code': '429', 'message': 'Requests to the ChatCompletions_Create Operation have exceeded token rate limit of your current AIServices S0 pricing tier. Please retry after 12 seconds.'}}";

/** Gateways, meshes, load balancers and aggregators that answer in the place of a vendor. */
export const inFront: Vendor = {
  type: 'OpenAICompatible',
  cases: [
    // LiteLLM: BerriAI/litellm#20867, #5764, litellm/proxy/_types.py
    [429, is.overloaded, { error: { message: 'No deployments available for selected model, Try again in 60 seconds. Passed model=claude-3-haiku-20240307. pre-call-checks=False, cooldown_list=[]', type: 'None', param: 'None', code: '429' } }, { resetMs: 60_000 }],
    [429, is.rate, { error: { message: tpm, type: 'throttling_error', param: null, code: '429' } }, { resetMs: 12_000 }],
    [429, is.rate, { error: { message: 'Crossed TPM / RPM / Max Parallel Request Limit for api_key: 88dc28d0, tpm: 12, Retry after: 30 seconds', type: 'None', param: 'None', code: '429' } }, { resetMs: 30_000 }],
    [400, is.quota, { error: { message: 'Budget has been exceeded! Current cost: 1.2, Max budget: 1.0', type: 'budget_exceeded', param: null, code: '400' } }],
    [429, is.quota, { error: { message: 'ExceededBudget: User=acme over budget. Spend=1.2, Budget=1.0', type: 'budget_exceeded', param: null, code: '429' } }],
    [401, is.permission, { error: { message: "API Key not allowed to access model. This token can only access models=['gpt-4']. Tried to access gpt-5", type: 'key_model_access_denied', param: 'model', code: '401' } }],
    [403, is.permission, { error: { message: 'Team not allowed to access model.', type: 'team_model_access_denied', param: 'model', code: '403' } }],
    [401, is.auth, { error: { message: 'Authentication Error, Invalid proxy server token passed. Received API Key = sk-...abcd', type: 'token_not_found_in_db', param: 'key', code: '401' } }],
    [400, is.noModel, { error: { message: "/chat/completions: Invalid model name passed in model=foo. Call `/v1/models` to view available models for your key.", type: 'None', param: 'None', code: '400' } }],
    [400, is.noModel, { error: { message: "{'error': '/chat/completions: Invalid model name passed in model=foo. Call `/v1/models` to view available models for your key.'}", type: 'None', param: 'None', code: '400' } }],
    [400, is.context, { error: { message: "litellm.ContextWindowExceededError: litellm.BadRequestError: This model's maximum context length is 8192 tokens.", type: 'invalid_request_error', param: null, code: '400' } }],
    [500, is.server, { error: { message: 'litellm.InternalServerError: AnthropicException - Overloaded', type: null, param: null, code: '500' } }],
    [400, is.bad, { error: { message: "litellm.BadRequestError: OpenAIException - Invalid value: 'insufficient_quota'.", type: 'invalid_request_error', param: null, code: '400' } }],

    // ChatGPT's own backend: earendil-works/pi#4172, james-6-23/codex2api#9
    [429, is.quota, { error: { type: 'usage_limit_reached', message: 'The usage limit has been reached', plan_type: 'free', resets_at: 1_775_317_531, resets_in_seconds: 602_705 } }, { resetMs: 86_400_000 }],
    [429, is.quota, { type: 'error', error: { type: 'usage_limit_reached', message: 'The usage limit has been reached', plan_type: 'plus', resets_at: 1_777_936_568, eligible_promo: null, resets_in_seconds: 13_872 }, status_code: 429, headers: { 'X-Codex-Primary-Used-Percent': '100' } }, { as: 'frame', event: 'error', resetMs: 13_872_000 }],
    [429, is.quota, { error: { type: 'usage_not_included', message: 'To use Codex with your ChatGPT plan, upgrade to Plus' } }],

    // Envoy, Istio: source/common/http/codes.cc, source/common/router/router.cc
    [503, is.overloaded, 'upstream connect error or disconnect/reset before headers. retried and the latest reset reason: remote connection failure, transport failure reason: delayed connect error: 111'],
    [503, is.overloaded, 'upstream connect error or disconnect/reset before headers. reset reason: overflow'],
    [504, is.server, 'upstream request timeout'],
    [504, is.server, 'stream timeout'],
    [408, is.timeout, 'downstream duration timeout'],
    [429, is.rate, 'local_rate_limited'],
    [429, is.rate, '', { headers: { 'x-ratelimit-limit': '10, 10;w=60', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '34' }, resetMs: 34_000 }],
    [403, is.network, 'RBAC: access denied'],
    [404, is.noModel, ''],
    [426, is.bad, ''],

    // nginx, Traefik, HAProxy, AWS and Azure load balancers
    [429, is.rate, '<html>\r\n<head><title>429 Too Many Requests</title></head>\r\n<body>\r\n<center><h1>429 Too Many Requests</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>'],
    [401, is.auth, '<html>\r\n<head><title>401 Authorization Required</title></head>\r\n<body><center><h1>401 Authorization Required</h1></center><hr><center>openresty/1.27.1.1</center></body></html>'],
    [403, is.network, '<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden</h1></center>\r\n</body>\r\n</html>'],
    [502, is.server, '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>'],
    [503, is.overloaded, '<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>'],
    [503, is.overloaded, 'no available server'],
    [502, is.server, 'Bad Gateway'],
    [504, is.server, 'Gateway Timeout'],
    [504, is.server, { message: 'Endpoint request timed out' }],
    [429, is.rate, { message: 'Too Many Requests' }],
    [429, is.rate, { message: 'Limit Exceeded' }],
    [403, is.permission, { message: 'Forbidden' }],
    [403, is.permission, { message: 'Missing Authentication Token' }],
    [413, is.tooLarge, { message: 'Request Too Long' }],
    [464, is.bad, ''],
    [431, is.bad, ''],

    // Kong, Apigee, IETF's RateLimit fields
    [429, is.rate, { message: 'API rate limit exceeded', request_id: '0f1e' }, { headers: { 'ratelimit-limit': '5', 'ratelimit-remaining': '0', 'ratelimit-reset': '12' }, resetMs: 12_000 }],
    [401, is.auth, { message: 'No API key found in request', request_id: '0f1e' }],
    [503, is.overloaded, { message: 'failure to get a peer from the ring-balancer', request_id: '0f1e' }],
    [502, is.server, { message: 'An invalid response was received from the upstream server', request_id: '0f1e' }],
    [429, is.rate, { fault: { faultstring: 'Rate limit quota violation. Quota limit exceeded.', detail: { errorcode: 'policies.ratelimit.QuotaViolation' } } }],
    [429, is.rate, '', { headers: { ratelimit: 'limit=100, remaining=0, reset=50' }, resetMs: 50_000 }],
    [429, is.rate, '', { headers: { ratelimit: '"burst";r=0;t=3, "hour";r=0;t=90, "day";r=12;t=3600' }, resetMs: 90_000 }],
    [429, is.rate, '', { headers: { ratelimit: '"burst";r=3;t=3' } }],

    // Moonshot, Z.ai, DashScope, SiliconFlow, Novita, watsonx, GitHub Models, Databricks
    [429, is.rate, { error: { message: 'Your account org-abc<ak-123> request reached organization max RPM: 3, please try again after 1 seconds', type: 'rate_limit_reached_error' } }, { resetMs: 1000 }],
    [429, is.rate, { error: { code: '1302', message: '您的账户已达到速率限制,请您控制请求频率' } }],
    [429, is.quota, { error: { code: '1308', message: 'Usage limit reached for 5 hour. Your limit will reset at 2026-01-01 10:00:00' } }],
    [400, is.filter, { error: { code: '1301', message: '系统检测到输入或生成内容可能包含不安全或敏感内容,请您避免输入易产生敏感内容的提示语,感谢您的配合。' } }],
    [429, is.rate, openaiError('You exceeded your current requests list.', 'limit_requests', 'limit_requests')],
    [400, is.quota, openaiError('Access denied, please make sure your account is in good standing.', 'Arrearage', 'Arrearage')],
    [403, is.quota, { code: 30_001, message: 'Sorry, your account balance is insufficient', data: null }],
    [400, is.noModel, { code: 20_012, message: 'Model does not exist. Please check it carefully.', data: null }],
    [429, is.rate, { message: 'Request was rejected due to rate limiting. Details:TPM limit reached.', data: null }],
    [503, is.overloaded, { code: 50_505, message: 'Model service overloaded. Please try again later.', data: null }],
    [403, is.quota, { code: 403, reason: 'NOT_ENOUGH_BALANCE', message: 'not enough balance', metadata: {} }],
    [403, is.quota, { errors: [{ code: 'token_quota_reached', message: 'This instance has reached its token quota.' }], trace: '0f1e', status_code: 403 }],
    [429, is.rate, { error: { code: 'RateLimitReached', message: 'Rate limit of 10 per 60s exceeded for UserByModelByMinute. Please wait 57 seconds before retrying.', details: 'Rate limit of 10 per 60s exceeded for UserByModelByMinute.' } }, { resetMs: 57_000 }],
    [429, is.rate, { error_code: 'REQUEST_LIMIT_EXCEEDED', message: 'REQUEST_LIMIT_EXCEEDED: Exceeded workspace input tokens per minute rate limit.' }],
    [403, is.permission, { error_code: 'PERMISSION_DENIED', message: 'You do not have permission to query the endpoint.' }],
  ],
};
