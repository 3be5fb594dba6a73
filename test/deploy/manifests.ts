// Short resources for tests of what is done with files.

/** A provider that needs no key. */
export function provider(name: string, { url = 'http://127.0.0.1:9/v1', namespace = 'default' } = {}): string {
  return `
apiVersion: sluice.dev/v1alpha1
kind: LLMProvider
metadata: {name: ${name}, namespace: ${namespace}}
spec: {type: OpenAICompatible, endpoint: {url: "${url}", insecureHTTP: Allow}, credentials: {type: None}}
---
`;
}

/** A route open to everybody, with its path and one backend. */
export function route(name: string, providerName: string, { namespace = 'default', extra = '' } = {}): string {
  return `
apiVersion: sluice.dev/v1alpha1
kind: LLMRoute
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  path: /${name}
  access: {mode: Anonymous}
  rules: [{name: default, backends: [{name: only, providerRef: {name: ${providerName}}, model: some-model}]}]${extra}
---
`;
}
