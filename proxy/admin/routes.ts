// Every path of the admin port, each with who may ask for it. A path that is not in this table does not exist.

import type { AccessClass } from './access.ts';
import { AdminError } from './admin-error.ts';
import type { AdminLog, AdminSources, ConfigReport } from './sources.ts';
import { type AdminState, type BackendState, leaveOutEnabled, type TargetState } from './state.ts';

/** What a route is given. */
export interface AdminRequest {
  /** By the names in the route's path. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The parsed body; undefined if there was none. */
  readonly body: unknown;
}

/** What a route answers. */
export type AdminAnswer =
  | { readonly type: 'json'; readonly status: number; readonly body: unknown }
  | { readonly type: 'text'; readonly status: number; readonly contentType: string; readonly body: Uint8Array };

/** One path and method. */
export interface AdminRoute {
  readonly method: 'GET' | 'POST';
  /** Segments that begin with a colon stand for any one segment. */
  readonly path: string;
  readonly access: AccessClass;
  handle(request: AdminRequest): AdminAnswer | Promise<AdminAnswer>;
}

/** A year: whoever wants more wants "until enabled". */
const secondsMax = 365 * 86_400;

/** All routes of the admin port. */
export function createRoutes(sources: AdminSources, log: AdminLog): readonly AdminRoute[] {
  const backend = '/backends/:namespace/:route/:name';
  return [
    { method: 'GET', path: '/livez', access: 'open', handle: () => json({ status: 'ok' }) },
    { method: 'GET', path: '/readyz', access: 'open', handle: () => answerReadiness(sources) },
    { method: 'GET', path: '/metrics', access: 'open', handle: () => answerMetrics(sources) },
    { method: 'GET', path: '/config', access: 'protected', handle: () => json(toConfigJson(sources.config())) },
    { method: 'GET', path: '/state', access: 'protected', handle: () => json(toStateJson(sources.state())) },
    {
      method: 'GET',
      path: '/state/disabled',
      access: 'protected',
      handle: () => json(toStateJson(leaveOutEnabled(sources.state()))),
    },
    {
      method: 'POST',
      path: `${backend}/disable`,
      access: 'change',
      handle(request) {
        const { id } = findBackend(sources, request);
        const seconds = readSeconds(request.body);
        sources.disableBackend(id, seconds === undefined ? undefined : Math.ceil(seconds * 1000));
        log.info({ backend: id, seconds }, 'backend disabled by hand');
        return json(toBackendJson(findBackend(sources, request)));
      },
    },
    {
      method: 'POST',
      path: `${backend}/enable`,
      access: 'change',
      handle(request) {
        const { id } = findBackend(sources, request);
        if (request.body !== undefined) readMembers(request.body, []);
        sources.enableBackend(id);
        log.info({ backend: id }, 'backend enabled by hand');
        return json(toBackendJson(findBackend(sources, request)));
      },
    },
  ];
}

function json(body: unknown): AdminAnswer {
  return { type: 'json', status: 200, body };
}

function answerReadiness({ readiness }: AdminSources): AdminAnswer {
  const found = readiness();
  if (!found.ready) throw new AdminError('not_ready', found.reason);
  return json({ status: 'ok' });
}

async function answerMetrics({ metrics }: AdminSources): Promise<AdminAnswer> {
  return { type: 'text', status: 200, ...(await metrics()) };
}

function findBackend({ state }: AdminSources, { parameters }: AdminRequest): BackendState {
  const { namespace, route, name } = parameters;
  const id = `${namespace}/${route}/${name}`;
  const found = state().backends.find((backend) => backend.id === id);
  if (found === undefined) throw new AdminError('backend_not_found');
  return found;
}

/** `{"seconds": n}`, or nothing. */
function readSeconds(body: unknown): number | undefined {
  if (body === undefined) return undefined;
  const { seconds } = readMembers(body, ['seconds']);
  if (seconds === undefined) return undefined;
  if (typeof seconds !== 'number' || !(seconds > 0 && seconds <= secondsMax)) {
    throw new AdminError('invalid_body', `seconds must be a number above 0 and at most ${secondsMax}.`);
  }
  return seconds;
}

/** A misspelt member must not turn "for a minute" into "until enabled". */
function readMembers(body: unknown, allowed: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new AdminError('invalid_body', 'The body must be a JSON object.');
  }
  const unknownName = Object.keys(body).find((name) => !allowed.includes(name));
  if (unknownName === undefined) return body as Readonly<Record<string, unknown>>;
  const known = allowed.length === 0 ? 'no members' : `only ${allowed.join(', ')}`;
  throw new AdminError('invalid_body', `The body may hold ${known}.`);
}

function toConfigJson({ revision, digest, className, servedSinceMs, lastRefusal }: ConfigReport): unknown {
  return {
    revision: revision ?? null,
    digest: digest ?? null,
    className: className ?? null,
    servedSince: toTime(servedSinceMs),
    ...(lastRefusal === undefined
      ? {}
      : {
          lastRefusal: {
            revision: lastRefusal.revision ?? null,
            digest: lastRefusal.digest ?? null,
            reasons: lastRefusal.reasons,
            at: toTime(lastRefusal.atMs),
          },
        }),
  };
}

function toStateJson({ backends, keys, store, inFlight, overload }: AdminState): unknown {
  const { sinceMs, ...health } = store;
  return {
    inFlight,
    overload,
    store: { ...health, since: toTime(sinceMs) },
    backends: backends.map(toBackendJson),
    keys: keys.map(({ models, ...key }) => ({ ...toTargetJson(key), models: models.map(toTargetJson) })),
  };
}

function toBackendJson({ models, ...backend }: BackendState): object {
  return { ...toTargetJson(backend), models: models.map(toTargetJson) };
}

/** Times as people read them; a disable without an end says `null`. */
function toTargetJson<State extends TargetState>({ sinceMs, untilMs, ...rest }: State): object {
  if (rest.state !== 'disabled') return rest;
  return { ...rest, since: toTime(sinceMs), until: toTime(untilMs) };
}

function toTime(milliseconds: number | undefined): string | null {
  return milliseconds === undefined ? null : new Date(milliseconds).toISOString();
}
