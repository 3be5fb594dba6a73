// Everything that the admin port may answer instead of what was asked for, in one form: {"error": {"code", "message"}}.

const catalogue = {
  invalid_request: { status: 400, message: 'The request is not valid.' },
  invalid_body: { status: 400, message: 'The body is not what this path takes.' },
  token_required: { status: 401, message: 'This path needs the admin token as a bearer token.' },
  token_not_set: { status: 403, message: 'Off loopback this path is closed unless SLUICE_ADMIN_TOKEN is set.' },
  host_not_allowed: { status: 403, message: 'The Host header must name a loopback address.' },
  origin_not_allowed: { status: 403, message: 'Changes are not taken from pages of another origin.' },
  path_not_found: { status: 404, message: 'There is no such path.' },
  backend_not_found: { status: 404, message: 'The configuration has no such backend.' },
  method_not_allowed: { status: 405, message: 'This path does not support this method.' },
  body_too_large: { status: 413, message: 'The body is too large.' },
  unsupported_media_type: { status: 415, message: 'The body must be application/json, or empty.' },
  internal_error: { status: 500, message: 'The request could not be handled.' },
  not_ready: { status: 503, message: 'The proxy is not ready.' },
} as const;

/** The code of an error of the admin port. */
export type AdminErrorCode = keyof typeof catalogue;

/** An error of the admin port. Thrown or returned by whoever finds it. */
export class AdminError extends Error {
  override readonly name = 'AdminError';
  readonly code: AdminErrorCode;
  readonly status: number;

  constructor(code: AdminErrorCode, message: string = catalogue[code].message) {
    super(message);
    this.code = code;
    this.status = catalogue[code].status;
  }
}
