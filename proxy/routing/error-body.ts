// Reads the error bodies of all vendors into one flat form: what the error is called, what it says, what it hints at.
// Knows shapes, not meanings; what an error means is the classifier's table.

/** An error body without its shape. Everything is optional in practice: bodies come from strangers. */
export interface ErrorBody {
  /** The vendor's sentence, as written; '' if there is none that a person could read. */
  readonly message: string;
  readonly code: string | undefined;
  readonly type: string | undefined;
  readonly param: string | undefined;
  /** What else the body says that is of use to a client: what the model wrote instead of a call (Groq). */
  readonly details: Readonly<Record<string, string>>;
  /** Every name that the body gives to the error (codes, types, reasons), in lower case. */
  readonly names: readonly string[];
  /** Message first, then further prose (quota ids, an inner vendor's text), in lower case. */
  readonly text: string;
  /** The HTTP status that the body itself speaks of. */
  readonly status: number | undefined;
  /** Google's `RetryInfo.retryDelay`, e.g. `46s`; ChatGPT's `resets_in_seconds` in the same notation. */
  readonly retryDelay: string | undefined;
  /** Rate-limit headers that came inside the body: of an aggregator (OpenRouter), or of a stream that had none. */
  readonly headers: Readonly<Record<string, string>>;
  /** HTML or XML: a page of something in front of the vendor, not an answer of its API. */
  readonly markup: boolean;
  /** Whether the body says of itself that it is an error. */
  readonly isError: boolean;
}

type JsonObject = { readonly [name: string]: unknown };

/** Longest message that is looked at or passed on: vendors' sentences are shorter, echoes of requests are longer. */
const messageCharsMax = 8192;
/** Names and details that are read per body: a handful is real, thousands would be an attack on the matching. */
const entriesMax = 32;

/** Reads one error body. Never throws. */
export function readErrorBody(body: string): ErrorBody {
  const trimmed = body.trim();
  if (trimmed.startsWith('<')) return { ...emptyBody, markup: true };
  const json = parseJson(trimmed);
  const root = Array.isArray(json) ? json[0] : json;
  if (typeof root === 'string') return proseBody(root);
  if (isObject(root)) return objectBody(root);
  // Cut or broken JSON is not prose: showing it to a client would be noise.
  return trimmed.startsWith('{') || trimmed.startsWith('[') ? emptyBody : proseBody(trimmed);
}

const emptyBody: ErrorBody = {
  message: '',
  code: undefined,
  type: undefined,
  param: undefined,
  details: {},
  names: [],
  text: '',
  status: undefined,
  retryDelay: undefined,
  headers: {},
  markup: false,
  isError: false,
};

function proseBody(prose: string): ErrorBody {
  const message = prose.trim().slice(0, messageCharsMax);
  return { ...emptyBody, message, text: message.toLowerCase() };
}

function objectBody(root: JsonObject): ErrorBody {
  const error = innerError(root);
  const azure = asObject(error['innererror']) ?? asObject(error['inner_error']);
  const details = listOf(error['details']);
  const metadata = asObject(error['metadata']);
  const message = messageOf(error, root).slice(0, messageCharsMax);
  const named = [
    ...namesOf(error),
    ...namesOf(root),
    ...namesOf(azure),
    ...namesOf(asObject(error['details'])),
    ...details.flatMap(namesOf),
  ];
  const prose = [message, ...quotaIds(details), text(metadata?.['raw']), text(azure?.['message'])].filter(
    (it) => it !== undefined,
  );
  return {
    message,
    code: label(error['code']) ?? label(root['code']),
    type: typeOf(error, root),
    param: text(error['param']) ?? text(root['param']),
    details: detailsOf(error),
    names: [...new Set(named)].slice(0, entriesMax),
    text: prose
      .join('\n')
      .slice(0, 2 * messageCharsMax)
      .toLowerCase(),
    status: statusOf(error) ?? statusOf(root),
    retryDelay: retryDelayOf(error, details),
    headers: stringsOf(asObject(metadata?.['headers']) ?? asObject(error['headers']) ?? asObject(root['headers'])),
    markup: false,
    isError: error !== root || saysError(root),
  };
}

const usefulMembers = ['failed_generation'] as const;

function detailsOf(error: JsonObject): Readonly<Record<string, string>> {
  const found = usefulMembers.flatMap((name) => {
    const value = error[name];
    return typeof value === 'string' ? [[name, value.slice(0, messageCharsMax)] as const] : [];
  });
  return Object.fromEntries(found);
}

/** The object that describes the error: `error`, a failed response's `error`, the first of `errors`, or the root. */
function innerError(root: JsonObject): JsonObject {
  return (
    asObject(root['error']) ??
    asObject(asObject(root['response'])?.['error']) ??
    listOf(root['error'])[0] ??
    listOf(root['errors'])[0] ??
    asObject(root['detail']) ??
    root
  );
}

function saysError(root: JsonObject): boolean {
  const object = text(root['object'])?.toLowerCase();
  return typeof root['error'] === 'string' || object === 'error' || root['type'] === 'error' || 'detail' in root;
}

function messageOf(error: JsonObject, root: JsonObject): string {
  const candidates = [
    error['message'],
    error['Message'],
    error['msg'],
    root['error'],
    root['message'],
    root['detail'],
    error['error'],
    error['title'],
  ];
  for (const candidate of candidates) {
    const message = typeof candidate === 'string' ? candidate.trim() : validationMessage(candidate);
    if (message !== '') return message;
  }
  return '';
}

/** FastAPI's and Mistral's lists of what is wrong where: `body.messages.0: Field required`. */
function validationMessage(value: unknown): string {
  const list = Array.isArray(value) ? value : asObject(value)?.['detail'];
  return listOf(list)
    .slice(0, 5)
    .map((entry) => {
      const path = Array.isArray(entry['loc']) ? entry['loc'].slice(0, 16).join('.') : '';
      const reason = text(entry['msg']) ?? text(entry['message']) ?? 'invalid';
      return path === '' ? reason : `${path}: ${reason}`;
    })
    .join('; ');
}

/** Members that vendors put the name of an error in. */
const nameMembers = [
  'code',
  'type',
  'status',
  'reason',
  'error_type',
  'error_code',
  '__type',
  'internal_code',
  'title',
];

function namesOf(value: JsonObject | undefined): string[] {
  if (value === undefined) return [];
  return nameMembers.flatMap((member) => {
    const name = label(value[member]);
    return name === undefined ? [] : [toErrorName(name)];
  });
}

/** One spelling for a vendor's name of an error; AWS adds a namespace in front and a link behind. */
export function toErrorName(name: string): string {
  const behindNamespace = name.slice(name.lastIndexOf('#') + 1);
  const colon = behindNamespace.indexOf(':');
  return (colon === -1 ? behindNamespace : behindNamespace.slice(0, colon)).trim().toLowerCase();
}

/** `error` as a type says nothing; the type of an envelope, as `response.failed`, is not the error's. */
function typeOf(error: JsonObject, root: JsonObject): string | undefined {
  const type = error['type'] === 'error' ? undefined : label(error['type']);
  return type ?? label(error['status']) ?? label(error['error_type']) ?? label(root['error_type']);
}

const statusMembers = ['code', 'status', 'status_code', 'statusCode', 'raw_status_code', 'http_status'];

function statusOf(value: JsonObject): number | undefined {
  for (const member of statusMembers) {
    const status = Number(label(value[member]) ?? Number.NaN);
    if (Number.isInteger(status) && status >= 400 && status <= 599) return status;
  }
  return undefined;
}

function retryDelayOf(error: JsonObject, details: readonly JsonObject[]): string | undefined {
  const seconds = label(error['resets_in_seconds']);
  const named = details.map((detail) => text(detail['retryDelay'])).find((delay) => delay !== undefined);
  return named ?? (seconds === undefined ? undefined : `${seconds}s`);
}

function quotaIds(details: readonly JsonObject[]): string[] {
  return details
    .flatMap((detail) => listOf(detail['violations']))
    .flatMap((violation) => text(violation['quotaId']) ?? []);
}

function stringsOf(value: JsonObject | undefined): Record<string, string> {
  const strings: Record<string, string> = {};
  for (const [name, member] of Object.entries(value ?? {}).slice(0, entriesMax)) {
    const string = label(member);
    if (string !== undefined) strings[name.toLowerCase()] = string;
  }
  return strings;
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asObject(value: unknown): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}

function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.slice(0, entriesMax).filter(isObject) : [];
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A short name or number; longer strings are prose in the wrong place. */
function label(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  return typeof value === 'string' && value !== '' && value.length <= 128 ? value : undefined;
}
