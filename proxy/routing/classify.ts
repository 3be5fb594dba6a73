// Judges what an attempt produced: signal in, failure out. The only code that looks at status codes and vendors' words;
// everything behind it switches on the class.

import type { Clock } from '../canonical/clock.ts';
import type {
  ClientFault,
  Failure,
  FailureClass,
  FailureScope,
  FailureSignal,
  SignalHeaders,
  TransportFault,
} from '../canonical/failure.ts';
import type { ProviderConfig, ProviderType } from '../config/schema.ts';
import { type ClassifierRule, classifierRules } from './classifier-table.ts';
import { type ErrorBody, readErrorBody, toErrorName } from './error-body.ts';
import { statusOfName } from './error-status.ts';
import { redact } from './redact.ts';
import { quotaResetMsMax, rateResetMsMax, resetMs } from './reset-time.ts';

/** How a provider is authenticated to. */
export type CredentialsType = ProviderConfig['credentials']['type'];

/** What else the judgement depends on. */
export interface ClassifyOptions {
  /** With Passthrough, refusals of credentials are the client's own business. Default: KeyPool. */
  readonly credentials?: CredentialsType;
  /** The operation is one that we do not know: what is not found may be anything, and is the client's to know. */
  readonly relayed?: boolean;
  /** Strings that no client may see: the credential that the attempt was sent with, the upstream's host. */
  readonly hide?: readonly string[];
}

/** Judges one signal of a provider of one type. Never throws. */
export type Classify = (providerType: ProviderType, signal: FailureSignal, options?: ClassifyOptions) => Failure;

/** Makes the classifier. The clock is for dates that upstreams name as the end of a limit. */
export function createClassifier({ clock }: { readonly clock: Clock }): Classify {
  return function classify(providerType, signal, options = {}) {
    switch (signal.type) {
      case 'transport':
        return { ...transport(signal.fault), fault: signal.fault, cause: signal.cause };
      case 'truncated':
        return { ...traitsOf('Truncated'), cause: signal.cause };
      case 'answer':
        return judge({ providerType, status: signal.status, body: answerBody(signal), signal, options });
      case 'frame': {
        const body = alsoNamed(readErrorBody(signal.data), signal.event);
        const status = namedStatus(body) ?? unnamedStatus;
        return judge({ providerType, status, body, signal, options });
      }
      case 'invalid':
        return invalid(providerType, signal, options);
    }
  };

  /** Row 23, except that an error in a 200 which says itself that the backend is not to blame is taken at its word. */
  function invalid(providerType: ProviderType, signal: InvalidSignal, options: ClassifyOptions): Failure {
    const body = readErrorBody(signal.body);
    const status = body.isError ? namedStatus(body) : undefined;
    if (status !== undefined) {
      const inner = judge({ providerType, status, body, signal, options });
      if (!inner.counts) return inner;
    }
    return { ...traitsOf('InvalidResponse'), cause: signal };
  }

  function judge(answer: Answer): Failure {
    const { body, signal, status, options } = answer;
    const found = findRule(answer.providerType, status, body);
    const rule = options.relayed && found.class === 'ModelNotFound' ? notFound : found;
    const traits = traitsBy(rule);
    const passedOn = options.credentials === 'Passthrough' && isAboutCredentials(traits);
    const retryAfterMs = resetOf(rule.class, body, signal.headers);
    return {
      ...(passedOn ? { ...traits, scope: 'none' as const, hard: false } : traits),
      status,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...(passedOn || isClientFault(rule.class) ? { client: clientFault(rule.class, answer) } : {}),
      cause: signal,
    };
  }

  function resetOf(failureClass: FailureClass, body: ErrorBody, headers: SignalHeaders): number | undefined {
    const capMs = resetMsMax(failureClass);
    if (capMs === undefined) return undefined;
    const hints = { headers: { ...body.headers, ...headers }, retryDelay: body.retryDelay, text: body.text };
    return resetMs(hints, clock.now(), capMs);
  }
}

/** Row 17 in the place of row 16. */
const notFound: ClassifierRule = { row: 17, class: 'BadRequest' };

type InvalidSignal = Extract<FailureSignal, { type: 'invalid' }>;

interface Answer {
  readonly providerType: ProviderType;
  readonly status: number;
  readonly body: ErrorBody;
  readonly signal: Extract<FailureSignal, { headers: SignalHeaders }>;
  readonly options: ClassifyOptions;
}

/** What an error frame counts as that names nothing: the upstream began to answer and then could not. */
const unnamedStatus = 500;

/** AWS names the error in a header, and in streams by the name of the frame. */
function answerBody({ headers, body }: Extract<FailureSignal, { type: 'answer' }>): ErrorBody {
  return alsoNamed(readErrorBody(body), headers['x-amzn-errortype']);
}

function alsoNamed(body: ErrorBody, name: string | undefined): ErrorBody {
  return name === undefined ? body : { ...body, names: [toErrorName(name), ...body.names] };
}

function namedStatus(body: ErrorBody): number | undefined {
  if (body.status !== undefined) return body.status;
  for (const name of body.names) {
    const status = statusOfName(name);
    if (status !== undefined) return status;
  }
  return undefined;
}

function findRule(providerType: ProviderType, status: number, body: ErrorBody): ClassifierRule {
  const found = classifierRules.find(
    (rule) =>
      (rule.providers === undefined || rule.providers.includes(providerType)) &&
      holdsStatus(rule.status, status) &&
      (rule.names === undefined || body.names.some((name) => rule.names?.has(name))) &&
      (rule.text === undefined || rule.text.test(body.text)) &&
      (rule.markup === undefined || body.markup),
  );
  // The last rule has no conditions.
  return found ?? { row: 23, class: 'InvalidResponse' };
}

function holdsStatus(wanted: ClassifierRule['status'], status: number): boolean {
  if (wanted === undefined) return true;
  return typeof wanted === 'string' ? Math.floor(status / 100) === Number(wanted.charAt(0)) : wanted.includes(status);
}

interface Traits {
  readonly class: FailureClass;
  readonly scope: FailureScope;
  readonly hard: boolean;
  readonly counts: boolean;
}

/** The usual traits of a rule's class, and the rule's own. What is hard is always about a key. */
function traitsBy(rule: ClassifierRule): Traits {
  const usual = traitsOf(rule.class);
  const scope = rule.scope ?? usual.scope;
  return { class: rule.class, scope, hard: usual.hard && scope !== 'backend', counts: rule.counts ?? usual.counts };
}

/** What a class is about, and whether it counts against the backend: the last line below the decision table. */
function traitsOf(failureClass: FailureClass): Traits {
  switch (failureClass) {
    case 'Connect':
    case 'TLS':
    case 'Timeout':
    case 'ServerError':
    case 'InvalidResponse':
    case 'Truncated':
    case 'Stalled':
      return { class: failureClass, scope: 'backend', hard: false, counts: true };
    case 'Overloaded':
      return { class: failureClass, scope: 'backend-model', hard: false, counts: true };
    case 'RateLimit':
      return { class: failureClass, scope: 'key-model', hard: false, counts: false };
    case 'Quota':
    case 'Authentication':
      return { class: failureClass, scope: 'key', hard: true, counts: false };
    case 'Permission':
      return { class: failureClass, scope: 'key-model', hard: true, counts: false };
    case 'ModelNotFound':
      return { class: failureClass, scope: 'backend', hard: false, counts: false };
    case 'ContextLength':
    case 'ContentFilter':
    case 'BadRequest':
    case 'TooLarge':
      return { class: failureClass, scope: 'none', hard: false, counts: false };
  }
}

/** Rows 1-6, 26 and 27 as far as the transport tells. */
function transport(fault: TransportFault): Traits {
  switch (fault) {
    case 'dns':
    case 'connect':
    case 'reset':
      return traitsOf('Connect');
    case 'tls':
      return traitsOf('TLS');
    case 'headers-timeout':
      return traitsOf('Timeout');
    case 'content-timeout':
      // The backend answers; it is this model that has nothing to say.
      return { ...traitsOf('Timeout'), scope: 'backend-model' };
    case 'idle-timeout':
      return traitsOf('Stalled');
    case 'protocol':
      return traitsOf('InvalidResponse');
  }
}

/** Cap of what the upstream says about when to come back; undefined for classes that coming back does not mend. */
function resetMsMax(failureClass: FailureClass): number | undefined {
  switch (failureClass) {
    case 'Quota':
      return quotaResetMsMax;
    case 'RateLimit':
    case 'Overloaded':
    case 'ServerError':
    case 'Timeout':
      return rateResetMsMax;
    default:
      return undefined;
  }
}

/** Rule 9: with Passthrough, what is said about the key, its limits and its money belongs to the client. */
function isAboutCredentials({ class: failureClass, scope }: Traits): boolean {
  if (scope === 'backend') return false;
  return ['Authentication', 'Permission', 'RateLimit', 'Quota'].includes(failureClass);
}

/** Rows 17-19 and 21: only these are told in the upstream's own words. */
function isClientFault(failureClass: FailureClass): boolean {
  return ['BadRequest', 'ContextLength', 'ContentFilter', 'TooLarge'].includes(failureClass);
}

function clientFault(failureClass: FailureClass, { body, status, options }: Answer): ClientFault {
  const clean = (text: string | undefined): string | undefined => text && redact(text, options.hide);
  return {
    status: clientStatus(failureClass, status),
    message: redact(body.message, options.hide),
    code: clean(clientCode(failureClass, body, status)),
    type: clean(body.type),
    param: clean(body.param),
    ...cleanDetails(body, options),
  };
}

function cleanDetails({ details }: ErrorBody, { hide }: ClassifyOptions): Pick<ClientFault, 'details'> {
  const entries = Object.entries(details).map(([name, text]) => [name, redact(text, hide)] as const);
  return entries.length === 0 ? {} : { details: Object.fromEntries(entries) };
}

/** A filter's 403 and a local server's 500 would tell the client something that is not true. */
function clientStatus(failureClass: FailureClass, status: number): number {
  const truthful = failureClass !== 'ContextLength' && failureClass !== 'ContentFilter';
  return truthful || status === 413 || status === 422 ? status : 400;
}

/** The upstream's own code; where it has none or only repeats the status, the name that SDKs look for. */
function clientCode(failureClass: FailureClass, body: ErrorBody, status: number): string | undefined {
  if (body.code !== undefined && body.code !== String(status)) return body.code;
  if (failureClass === 'ContextLength') return 'context_length_exceeded';
  return failureClass === 'ContentFilter' ? 'content_filter' : body.code;
}
