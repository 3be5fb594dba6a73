// Puts the path of an operation below the base URL of a provider.

import { ClientError } from '../canonical/client-error.ts';

/** `/v1` below `/v1` is `/v1`: people give the base that one SDK or the other wants. */
export function below(basePath: string, path: string): string {
  const first = /^\/[^/?]+/.exec(path)?.[0] ?? '';
  return first !== '' && basePath.endsWith(first) ? basePath + path.slice(first.length) : basePath + path;
}

/**
 * A model as one segment of a path, whatever is in its name. Throws ClientError where it is not named, or could be none:
 * a client's own model name must not climb in the path.
 */
export function modelSegment(model: string | undefined): string {
  if (model === undefined) throw new ClientError('model_required');
  if (model === '' || model === '.' || model === '..' || !model.isWellFormed())
    throw new ClientError('model_not_found');
  return encodeURIComponent(model);
}
