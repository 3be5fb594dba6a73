// An API server that keeps Events, with the rules for new ones (k8s.io/kubernetes pkg/apis/core/validation/events.go).

import type { KubeCall, KubeClient } from '../../../operator/kube/client.ts';
import { KubeError } from '../../../operator/kube/kube-error.ts';
import type { KubeObject } from '../../../operator/kube/object.ts';

const microTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** What the API server answers instead; status 0: nothing. */
export function failure(status: number, reason = '', retryAfterMs?: number): KubeError {
  return new KubeError(`answered ${status} ${reason}`, { status, reason, retryAfterMs });
}

/** An Event as it is kept. */
export interface KeptEvent extends KubeObject {
  readonly note: string;
  readonly regarding: { readonly namespace?: string };
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
}

/** Answers at once, or as `through` says. */
export class EventServer implements KubeClient {
  /** By path. */
  readonly events = new Map<string, KeptEvent>();
  readonly requests: string[] = [];
  through: (call: KubeCall) => Promise<unknown> = async (call) => this.handle(call);

  async call<T>(call: KubeCall): Promise<T> {
    this.requests.push(call.method);
    return (await this.through(call)) as T;
  }

  stream(): Promise<never> {
    return Promise.reject(new Error('no watches here'));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  handle({ method, path, body, contentType }: KubeCall): unknown {
    if (method === 'POST') return this.#create(path, structuredClone(body) as KeptEvent);
    const event = this.events.get(path);
    if (method !== 'PATCH' || contentType !== 'application/merge-patch+json') throw failure(415);
    if (event === undefined) throw failure(404, 'NotFound');
    const patched = { ...event, ...(structuredClone(body) as Partial<KeptEvent>) };
    check(patched);
    this.events.set(path, patched);
    return patched;
  }

  #create(path: string, event: KeptEvent): unknown {
    const { name, namespace = '' } = event.metadata;
    if (path !== `/apis/events.k8s.io/v1/namespaces/${namespace}/events`) throw failure(400, 'BadRequest');
    if (this.events.has(`${path}/${name}`)) throw failure(409, 'AlreadyExists');
    check(event);
    this.events.set(`${path}/${name}`, event);
    return event;
  }
}

function check(event: KeptEvent): void {
  const { metadata, eventTime, reportingController, reportingInstance, action, reason, type, note, series } = event;
  const isWord = (word: unknown): boolean => typeof word === 'string' && word.length > 0 && word.length <= 128;
  const isValid =
    metadata.name.length <= 253 &&
    subdomain.test(metadata.name) &&
    metadata.namespace === (event.regarding.namespace ?? 'default') &&
    microTime.test(String(eventTime)) &&
    [reportingController, reportingInstance, action, reason].every(isWord) &&
    (type === 'Normal' || type === 'Warning') &&
    Buffer.byteLength(note) <= 1024 &&
    (series === undefined || (series.count >= 2 && microTime.test(series.lastObservedTime)));
  if (!isValid) throw failure(422, 'Invalid');
}
