// Ids under which backends and keys are disabled. Stable across configurations and shared between proxies.

/** `backend:namespace/route/name`. */
export function backendTarget(backendId: string): string {
  return `backend:${backendId}`;
}

/** `key:namespace/name`. */
export function keyTarget(keyId: string): string {
  return `key:${keyId}`;
}

/** `provider:namespace/name`: all backends of a provider, by a probe. */
export function providerTarget(providerId: string): string {
  return `provider:${providerId}`;
}

/** A target for one upstream model only. */
export function modelTarget(target: string, model: string): string {
  return `${target}#${model}`;
}
