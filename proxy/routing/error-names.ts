// Vendors' names of errors (codes, types, reasons), by what they mean. Spelled as `toErrorName` spells them. Names are
// the vendors' own words: no client can put one into an answer.

/** The upstream has too much to do for everybody. */
export const overloaded = new Set([
  'overloaded_error',
  'overloaded',
  'server_is_overloaded',
  'slow_down',
  'engine_overloaded',
  'engine_overloaded_error',
  'model_overloaded',
  'service_unavailable_error',
  'unavailable',
  'serviceunavailableexception',
]);

/** What 429 means when it is not about our own limits. */
export const capacity = new Set([
  ...overloaded,
  'modelnotreadyexception',
  'capacity_exceeded',
  'service_tier_capacity_exceeded',
  'queue_exceeded',
  'resource_unavailable',
  'nocapacity',
]);

/** Mistral's "service tier capacity exceeded". */
export const mistralCapacity = new Set(['3505']);

/** The request does not fit into the model's context. */
export const context = new Set([
  'context_length_exceeded',
  'context_window_exceeded',
  'model_context_window_exceeded',
  'exceed_context_size_error',
]);

/** The request was refused for what it says. */
export const content = new Set([
  'content_filter',
  'contentfilter',
  'responsibleaipolicyviolation',
  'content_policy_violation',
  'moderation_blocked',
  'invalid_prompt',
  'data_inspection_failed',
]);

/** No money, or no more of what was paid for. */
export const money = new Set([
  'insufficient_quota',
  'insufficient_balance',
  'insufficient_credits',
  'credit_balance_exhausted',
  'credit_limit_exceeded',
  'billing_error',
  'billing_hard_limit_reached',
  'billing_not_active',
  'billing_disabled',
  'payment_required',
  'enforced_spend_limit_reached',
  'exceeded_current_quota_error',
  'servicequotaexceededexception',
  'usage_limit_reached',
  'usage_not_included',
  'budget_exceeded',
  'token_quota_reached',
  'not_enough_balance',
  'arrearage',
]);

/** A limit per time. */
export const rate = new Set([
  'rate_limit_exceeded',
  'rate_limit_error',
  'rate_limited',
  'ratelimitexceeded',
  'userratelimitexceeded',
  'throttlingexception',
]);

/** Google's word for limits, quotas and overload alike. */
export const googleExhausted = new Set(['resource_exhausted']);

/** Google's words for a quota that no minute restores: in a code of its own, and as the reason of RESOURCE_EXHAUSTED. */
export const googleQuota = new Set(['quota_exceeded']);
export const googleExhaustedQuota = new Set(['quota_exhausted']);

/** The key itself is refused. */
export const badKey = new Set([
  'invalid_api_key',
  'api_key_invalid',
  'api_key_expired',
  'authentication_error',
  'unrecognizedclientexception',
  'expiredtokenexception',
  'invalidsignatureexception',
  'incompletesignature',
  'incompletesignatureexception',
  'missingauthenticationtokenexception',
  'organization_restricted',
  'account_deactivated',
  'consumer_suspended',
]);

/** The key is good, but not for this model, or not yet. Said with 400 and 401 too. */
export const notPermitted = new Set(['key_model_access_denied', 'team_model_access_denied', 'model_terms_required']);

/** It is where we call from that is refused. */
export const network = new Set(['unsupported_country_region_territory']);

/** llama.cpp's word for an operation that it was not started for. */
export const notSupported = new Set(['not_supported_error']);

/** Cloudflare's numbers for "authentication error" and "invalid access token". */
export const cloudflareBadKey = new Set(['10000', '9109']);

/** The model does not exist, or not for this account. */
export const noModel = new Set([
  'model_not_found',
  'model_decommissioned',
  'model_not_supported',
  'model_not_available',
  'invalid_model',
  'unknown_model',
  'deploymentnotfound',
]);

/** Cloudflare's and Mistral's numbers for a model that does not exist. */
export const cloudflareNoModel = new Set(['5007']);
export const mistralNoModel = new Set(['1500']);

/** Bedrock's lock, which it reports as 400. */
export const conflict = new Set(['conflictexception']);
