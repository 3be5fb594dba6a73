// Puts the path of an operation below the base URL of a provider.

/** `/v1` below `/v1` is `/v1`: people give the base that one SDK or the other wants. */
export function below(basePath: string, path: string): string {
  const first = /^\/[^/?]+/.exec(path)?.[0] ?? '';
  return first !== '' && basePath.endsWith(first) ? basePath + path.slice(first.length) : basePath + path;
}
