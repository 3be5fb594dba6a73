// The HTTP status that an error would have had, by its name: for errors inside streams and inside 200s, whose own status
// says nothing.

/** Vendors' names of errors, as `toErrorName` spells them. */
const statusByName: ReadonlyMap<string, number> = new Map([
  // OpenAI and its family.
  ['invalid_request_error', 400],
  ['badrequesterror', 400],
  ['content_filter', 400],
  ['content_policy_violation', 400],
  ['context_length_exceeded', 400],
  ['context_window_exceeded', 400],
  ['exceed_context_size_error', 400],
  ['tool_use_failed', 400],
  ['invalid_prompt', 400],
  ['authentication_error', 401],
  ['invalid_api_key', 401],
  ['authenticationerror', 401],
  ['insufficient_credits', 402],
  ['insufficient_balance', 402],
  ['payment_required', 402],
  ['permission_error', 403],
  ['permissiondeniederror', 403],
  ['not_found_error', 404],
  ['notfounderror', 404],
  ['model_not_found', 404],
  ['insufficient_quota', 429],
  ['rate_limit_error', 429],
  ['rate_limit_exceeded', 429],
  ['ratelimiterror', 429],
  ['rate_limited', 429],
  ['too_many_requests', 429],
  ['quota_exceeded', 429],
  ['usage_limit_reached', 429],
  ['exceeded_current_quota_error', 429],
  ['requests', 429],
  ['tokens', 429],
  ['server_error', 500],
  ['internal_server_error', 500],
  ['internalservererror', 500],
  ['server_is_overloaded', 503],
  ['service_unavailable_error', 503],
  ['engine_overloaded_error', 503],
  ['slow_down', 503],
  ['overloaded', 503],
  // Anthropic.
  ['billing_error', 402],
  ['request_too_large', 413],
  ['api_error', 500],
  ['timeout_error', 504],
  ['overloaded_error', 529],
  // Google.
  ['invalid_argument', 400],
  ['failed_precondition', 400],
  ['unauthenticated', 401],
  ['permission_denied', 403],
  ['not_found', 404],
  ['resource_exhausted', 429],
  ['internal', 500],
  ['unavailable', 503],
  ['deadline_exceeded', 504],
  // Bedrock: its exceptions are the names of the frames themselves.
  ['validationexception', 400],
  ['servicequotaexceededexception', 400],
  ['accessdeniedexception', 403],
  ['resourcenotfoundexception', 404],
  ['modeltimeoutexception', 408],
  ['modelerrorexception', 424],
  ['modelstreamerrorexception', 424],
  ['throttlingexception', 429],
  ['modelnotreadyexception', 429],
  ['internalserverexception', 500],
  ['serviceunavailableexception', 503],
]);

/** The HTTP status that goes with a vendor's name of an error; undefined if the name is not known. */
export function statusOfName(name: string): number | undefined {
  return statusByName.get(name);
}
