import { is, type Vendor } from './vendor-case.ts';

function error(message: unknown, type: string, code: string | null, status: number) {
  return { object: 'error', message, type, param: null, code, raw_status_code: status };
}

/** https://docs.mistral.ai */
export const mistral: Vendor = {
  type: 'Mistral',
  cases: [
    [429, is.rate, error('Rate limit exceeded', 'rate_limited', '1300', 429)],
    [429, is.rate, error('Rate limit exceeded', 'rate_limited', '1300', 429), { headers: { 'ratelimitbysize-remaining': '0', 'ratelimitbysize-reset': '27', 'x-ratelimit-remaining-tokens-month': '900000' }, resetMs: 27_000 }],
    [429, is.rateOfKey, { message: 'Requests rate limit exceeded', request_id: 'f0e1d2c3' }],
    [429, is.overloaded, { object: 'error', message: 'Service tier capacity exceeded for this model.', type: 'invalid_request_error', param: null, code: null }],
    [429, is.overloaded, error('Service unavailable for this tier.', 'service_tier_capacity_exceeded', '3505', 429)],
    [429, is.overloaded, error('Come back later.', 'rate_limited', '3505', 429)],
    [401, is.auth, { message: 'Unauthorized', request_id: 'f0e1d2c3' }],
    [401, is.auth, { detail: 'Unauthorized' }],
    [402, is.quota, { detail: 'Payment required' }],
    [403, is.permission, { detail: 'Forbidden' }],
    [404, is.noModel, { detail: 'Not Found' }],
    [400, is.noModel, error('Invalid model: mistral-enormous', 'invalid_model', '1500', 400)],
    [400, is.noModel, error('The model you asked for is not here', 'invalid_request', '1500', 400)],
    [400, is.context, error('Prompt contains 40960 tokens and 0 draft tokens, too large for model with 32768 maximum context length', 'invalid_request_prompt', '3051', 400)],
    [400, is.bad, error("Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant", 'invalid_request_message_order', '3230', 400), { client: { status: 400, code: '3230', type: 'invalid_request_message_order' } }],
    [400, is.bad, error('Tool call id was call_1 but must be a-z, A-Z, 0-9, with a length of 9.', 'invalid_function_call', '3280', 400)],
    [422, is.bad, { object: 'error', message: { detail: [{ type: 'missing', loc: ['body', 'messages'], msg: 'Field required', input: {} }] }, type: 'invalid_request_error', code: null, raw_status_code: 422 }, { client: { status: 422, message: 'body.messages: Field required' } }],
    [422, is.bad, { detail: [{ type: 'extra_forbidden', loc: ['body', 'seed'], msg: 'Extra inputs are not permitted', input: 1 }] }, { client: { message: 'body.seed: Extra inputs are not permitted' } }],
    [500, is.server, error('Service unavailable.', 'internal_server_error', '1000', 500)],
    [503, is.overloaded, { object: 'error', message: 'Service unavailable.', type: 'internal_server_error', param: null, code: '1000' }],
    [520, is.server, '<html><head><title>520</title></head></html>'],
    [500, is.server, error('Something broke', 'internal_server_error', '3000', 500), { as: 'frame' }],
    // BerriAI/litellm#25078
    [503, is.overloaded, { object: 'error', message: 'Service tier capacity exceeded for this model.', type: 'invalid_request_error', param: null, code: null }],
    [500, is.server, { object: 'Error', message: 'Service unavailable.', type: 'internal_server_error', code: '1000', raw_status_code: 500 }],
    [400, is.bad, { object: 'Error', message: 'No.', type: 'invalid_request', raw_status_code: 400 }, { as: 'invalid' }],
    [400, is.context, error("The number of tokens in the prompt exceeds the model's maximum context length of 32768. Please use a shorter prompt.", 'invalid_request_error', null, 400)],
    [429, is.rate, { detail: 'Rate limit exceeded' }],
  ],
};

/** https://docs.cohere.com/reference/errors */
export const cohere: Vendor = {
  type: 'Cohere',
  cases: [
    [429, is.rateOfKey, { message: 'You are using a Trial key, which is limited to 10 API calls / minute. You can continue to use the Trial key for free or upgrade to a Production key.' }],
    [429, is.quota, { message: 'You are using a Trial key, which is limited to 1000 API calls / month. You can continue to use the Trial key for free or upgrade to a Production key.' }],
    [429, is.rate, { id: 'b1', message: 'Please wait and try again later' }],
    [401, is.auth, { message: 'invalid api token' }],
    [498, is.auth, { message: 'invalid token' }],
    [402, is.quota, { message: 'Please add or update your payment method at https://dashboard.cohere.com/billing?tab=payment to continue' }],
    [404, is.noModel, { message: "model 'command-x' not found, make sure the correct model ID was used and that you have access to the model." }],
    [400, is.context, { message: 'too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 4292. Try using a shorter prompt, or enabling prompt truncating.' }],
    [400, is.context, { message: 'too many tokens: size limit exceeded by 11326 tokens. Try using shorter or fewer inputs.' }],
    [400, is.bad, { message: 'invalid request: message must be at least 1 token long or tool results must be specified.' }],
    [400, is.bad, { message: 'too many tokens: max tokens must be less than or equal to 4096, the maximum output for this model - received 8192.' }],
    [429, is.rate, { message: 'You are past the per minute request limit, please wait and try again later.' }],
    [401, is.auth, { message: 'no api key supplied' }],
    [404, is.noModel, { message: "model 'command-r' was removed on September 15, 2025. See https://docs.cohere.com/docs/models for a list of currently supported models." }],
    [400, is.bad, { message: 'invalid request: total number of texts must be at most 96' }],
    [500, is.server, { message: 'internal server error, this has been reported to our developers. id 0f1e2d3c' }],
    [422, is.bad, { id: 'b2', message: 'json: cannot unmarshal string into Go value of type int' }],
    [499, is.server, { message: 'request cancelled' }],
    [500, is.server, { message: 'internal server error' }],
    [503, is.overloaded, { message: 'service unavailable' }],
    [504, is.server, { message: 'gateway timeout' }],
  ],
};
