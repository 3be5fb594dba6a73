// Makes and renews the Secrets of generated client keys: looks at one key and its Secret, and does what the plan says.
// Whatever it says or throws, it never holds a key.

import type { LLMKey } from '../../crds/llm-key.ts';
import type { Clock } from '../clock.ts';
import type { SecretObject } from '../compile/world.ts';
import { fieldManager, type KubeClient, mergePatch } from '../kube/client.ts';
import { secretType } from '../kube/kinds.ts';
import { isKubeError, type KubeError } from '../kube/kube-error.ts';
import { collectionPath, type KubeObject, objectPath } from '../kube/object.ts';
import type { Log } from '../log.ts';
import { planSecret, type SecretPlan } from './generated-secret.ts';
import { keyBytes, makeKey } from './make-key.ts';
import { dropPatch, mendPatch, newSecret, rotationPatch, type SecretPatch } from './secret-writes.ts';

/** A Secret with the version of it that was read. */
export interface StoredSecret extends SecretObject {
  readonly resourceVersion: string;
}

/** Why the Secret of a key could not be made, for its status. */
export interface KeyProblems {
  /** `id`: of the LLMKey. Undefined: nothing is wrong. */
  set(id: string, message: string | undefined): void;
}

/** What the reconciler needs. Ids are `namespace/name`. */
export interface KeyReconcilerOptions {
  readonly client: Pick<KubeClient, 'call'>;
  /** A key of this installation's class, as the cache has it. */
  readonly getKey: (id: string) => LLMKey | undefined;
  /** A Secret with the credential label, as the cache has it. */
  readonly getSecret: (id: string) => StoredSecret | undefined;
  /** Reads a Secret as the API server sends it. */
  readonly readSecret: (object: KubeObject) => StoredSecret;
  /** Takes the answer to a write, so that the cache need not wait for the watch. */
  readonly learn: (object: KubeObject) => void;
  /** Whether this replica leads, as of now. */
  readonly mayWrite: () => boolean;
  readonly clock: Pick<Clock, 'now'>;
  /** Cryptographically strong. */
  readonly randomBytes: (size: number) => Uint8Array;
  readonly problems: KeyProblems;
  readonly log: Log;
}

/** When to look at the key again, unless something changes before. */
export interface NextLook {
  readonly requeueAfterMs?: number;
}

/** No clock must make it spin. */
const requeueMsMin = 1_000;
/** Timers go by another clock than plans do: whoever sets the clock of the machine is noticed within the hour. */
const requeueMsMax = 3_600_000;
/** A foreign Secret without the label is not watched: nothing tells when it goes. */
const foreignMs = 60_000;
/** Another replica leads and does it; this one may lead by then. */
const standbyMs = 15_000;

/** Makes the reconcile function of generated keys. Throws KubeErrors, to be tried again. */
export function createKeyReconciler(
  options: KeyReconcilerOptions,
): (id: string, signal?: AbortSignal) => Promise<NextLook> {
  return async function reconcileKey(id, signal) {
    const key = options.getKey(id);
    const secretName = key?.spec.client?.generate?.secretName;
    if (secretName === undefined || key?.metadata.uid === undefined || key.metadata.deletionTimestamp !== undefined) {
      options.problems.set(id, undefined);
      return {};
    }
    const run = new KeyRun(options, { id, key, secretName, signal });
    try {
      return await run.act(options.getSecret(`${key.metadata.namespace}/${secretName}`));
    } catch (error) {
      const isRefused = isKubeError(error, 'Forbidden') || isKubeError(error, 'Invalid');
      if (isRefused) options.problems.set(id, explainRefusal(secretName, error));
      throw error;
    }
  };
}

/** In words of our own: those of the server may name who the operator is, and more. */
function explainRefusal(secretName: string, { status, reason }: KubeError): string {
  return `the Secret "${secretName}" cannot be made or renewed: the API server answers ${status} ${reason}`;
}

interface Subject {
  readonly id: string;
  readonly key: LLMKey;
  readonly secretName: string;
  readonly signal: AbortSignal | undefined;
}

/** Everything that is done about one key at one time. */
class KeyRun {
  readonly #options: KeyReconcilerOptions;
  readonly #subject: Subject;

  constructor(options: KeyReconcilerOptions, subject: Subject) {
    this.#options = options;
    this.#subject = subject;
  }

  async act(secret: StoredSecret | undefined): Promise<NextLook> {
    const { mayWrite, clock } = this.#options;
    const plan = planSecret(this.#subject.key, secret, clock.now());
    if (plan.type === 'none') return this.#done(plan.nextAtMs);
    if (plan.type === 'foreign') return this.#foreign();
    if (!mayWrite()) return { requeueAfterMs: standbyMs };
    if (plan.type === 'create' || secret === undefined) return this.#create();
    return this.#written(await this.#patch(this.#toPatch(plan, secret)), plan);
  }

  /** A POST and never an apply: what is there already must not be overwritten. */
  async #create(): Promise<NextLook> {
    const { key, secretName } = this.#subject;
    const body = newSecret(key, secretName, this.#newKey(), this.#options.clock.now());
    try {
      const path = collectionPath(secretType, key.metadata.namespace);
      return this.#written(await this.#call('POST', path, { body, query: { fieldManager } }), { type: 'create' });
    } catch (error) {
      if (!isKubeError(error, 'AlreadyExists')) throw error;
    }
    // Made a moment ago, and not in the cache yet; or somebody took its label away; or it is none of ours.
    return this.act(this.#options.readSecret(await this.#call('GET', this.#path())));
  }

  #toPatch(plan: Exclude<SecretPlan, { type: 'none' | 'foreign' | 'create' }>, secret: StoredSecret): SecretPatch {
    const { resourceVersion } = secret;
    switch (plan.type) {
      case 'rotate': {
        const context = { resourceVersion, nowMs: this.#options.clock.now() };
        return rotationPatch(this.#subject.key, this.#newKey(), plan.keep, context);
      }
      case 'drop-previous':
        return dropPatch(resourceVersion);
      case 'mend':
        return mendPatch(resourceVersion, plan.madeAtMs);
    }
  }

  #patch(body: SecretPatch): Promise<KubeObject> {
    return this.#call('PATCH', this.#path(), { body, contentType: mergePatch, query: { fieldManager } });
  }

  #call(
    method: 'GET' | 'POST' | 'PATCH',
    path: string,
    more: Partial<Parameters<KubeClient['call']>[0]> = {},
  ): Promise<KubeObject> {
    const { signal } = this.#subject;
    return this.#options.client.call<KubeObject>({ ...more, method, path, ...(signal && { signal }) });
  }

  #path(): string {
    const { key, secretName } = this.#subject;
    return objectPath(secretType, { namespace: key.metadata.namespace, name: secretName });
  }

  #newKey(): string {
    return makeKey(this.#subject.key.spec.client?.generate?.prefix, this.#options.randomBytes(keyBytes));
  }

  #written(answer: KubeObject, plan: SecretPlan): NextLook {
    const { learn, readSecret, log, clock } = this.#options;
    const { id, key, secretName } = this.#subject;
    const reason = plan.type === 'rotate' ? plan.reason : undefined;
    log.info({ id, secretName, change: plan.type, reason }, 'Secret of a client key written');
    learn(answer);
    const next = planSecret(key, readSecret(answer), clock.now());
    return this.#done(next.type === 'none' ? next.nextAtMs : clock.now());
  }

  #foreign(): NextLook {
    const { id, secretName } = this.#subject;
    const message = `a Secret "${secretName}" exists in the namespace and was not made for this object; delete it, or choose another name`;
    this.#options.problems.set(id, message);
    return { requeueAfterMs: foreignMs };
  }

  #done(nextAtMs: number | undefined): NextLook {
    const { problems, clock } = this.#options;
    problems.set(this.#subject.id, undefined);
    if (nextAtMs === undefined) return {};
    return { requeueAfterMs: Math.min(requeueMsMax, Math.max(requeueMsMin, nextAtMs - clock.now())) };
  }
}
