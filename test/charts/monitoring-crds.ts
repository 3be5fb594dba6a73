// As much of the Prometheus Operator's definitions as the chart uses, so that an API server judges what it renders: a
// member that is not here is refused. https://prometheus-operator.dev/docs/api-reference/api/

const text = { type: 'string' };
const texts = { type: 'object', additionalProperties: text };
const object = (properties: object, required: readonly string[] = []): object => ({
  type: 'object',
  properties,
  ...(required.length > 0 ? { required } : {}),
});
const list = (items: object): object => ({ type: 'array', items });
// Prometheus' own form of a duration.
const duration = {
  type: 'string',
  pattern: String.raw`^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$`,
};

const endpoint = object({ port: text, path: text, interval: duration });
const selector = object({ matchLabels: texts });
const rule = object(
  {
    alert: text,
    expr: { anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true },
    for: duration,
    labels: texts,
    annotations: texts,
  },
  ['expr'],
);

const specs = {
  PodMonitor: object({ jobLabel: text, selector, podMetricsEndpoints: list(endpoint) }, ['selector']),
  ServiceMonitor: object({ jobLabel: text, selector, endpoints: list(endpoint) }, ['endpoints', 'selector']),
  PrometheusRule: object({ groups: list(object({ name: text, rules: list(rule) }, ['name'])) }),
};

/** The definitions. */
export const monitoringDefinitions: readonly object[] = Object.entries(specs).map(([kind, spec]) => {
  const singular = kind.toLowerCase();
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${singular}s.monitoring.coreos.com` },
    spec: {
      group: 'monitoring.coreos.com',
      scope: 'Namespaced',
      names: { kind, singular, plural: `${singular}s` },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: object({ spec }, ['spec']) } }],
    },
  };
});
