// Values that the chart must not take, and what it says then.

/** One set of values that is wrong. */
export interface Refusal {
  readonly because: string;
  readonly values: object;
  readonly says: RegExp;
}

const closed = (path: string): RegExp => new RegExp(`at '${path}': additional properties .* not allowed`);
const wrong = (path: string, how: string): RegExp => new RegExp(`at '${path}': .*${how}`);

/** All of them. */
export const refusals: readonly Refusal[] = [
  { because: 'a misspelt value', values: { redsi: {} }, says: closed('') },
  {
    because: 'a misspelt value deep down',
    values: { proxy: { service: { prot: 80 } } },
    says: closed('/proxy/service'),
  },
  { because: 'a misspelt resource', values: { proxy: { resources: { limit: {} } } }, says: closed('/proxy/resources') },
  {
    because: 'a misspelt member of a list',
    values: { proxy: { tolerations: [{ keys: 'a' }] } },
    says: closed('/proxy/tolerations/0'),
  },
  {
    because: 'a number of proxies as text',
    values: { proxy: { replicas: '2' } },
    says: wrong('/proxy/replicas', 'integer'),
  },
  { because: 'a switch as text', values: { crds: { keep: 'false' } }, says: wrong('/crds/keep', 'boolean') },
  {
    because: 'less than no time to drain',
    values: { proxy: { drainSeconds: -1 } },
    says: wrong('/proxy/drainSeconds', ''),
  },
  {
    because: 'a drain of more than a day',
    values: { proxy: { drainSeconds: 86_401 } },
    says: wrong('/proxy/drainSeconds', ''),
  },
  {
    because: 'a Redis of an unknown type',
    values: { redis: { type: 'Sentinel' } },
    says: wrong('/redis/type', 'one of'),
  },
  {
    because: 'a URL that is none of Redis',
    values: { redis: { type: 'External', external: { url: 'https://redis' } } },
    says: wrong('/redis/external/url', 'pattern'),
  },
  { because: 'a class that no label can hold', values: { className: 'Blue' }, says: wrong('/className', 'pattern') },
  { because: 'a class that is named like a shard', values: { className: 'blue-1' }, says: wrong('/className', 'not') },
  {
    because: 'a port that there is not',
    values: { proxy: { service: { port: 65_536 } } },
    says: wrong('/proxy/service/port', ''),
  },
  {
    because: 'an address without its length',
    values: { proxy: { allowEndpointCidrs: ['10.0.0.1'] } },
    says: /allowEndpointCidrs\/0/,
  },
  {
    because: 'a digest that is none',
    values: { image: { digest: 'sha256:12' } },
    says: wrong('/image/digest', 'pattern'),
  },
  { because: 'root', values: { podSecurity: { runAsUser: 0 } }, says: wrong('/podSecurity/runAsUser', '') },
  {
    because: 'labels by which pods are found',
    values: { proxy: { podLabels: { 'app.kubernetes.io/component': 'other' } } },
    says: /invalid propertyName 'app.kubernetes.io.component'/,
  },
  {
    because: 'a switch where there are three ways',
    values: { monitoring: { alerts: false } },
    says: wrong('/monitoring/alerts', 'one of'),
  },
  { because: 'a log level that does not exist', values: { logLevel: 'verbose' }, says: wrong('/logLevel', 'one of') },
  {
    because: 'a policy with a rule that is misspelt',
    values: { networkPolicy: { proxyEgress: [{ from: [] }] } },
    says: closed('/networkPolicy/proxyEgress/0'),
  },
  {
    because: 'several proxies that share nothing',
    values: { redis: { type: 'None' } },
    says: /there may be 2 proxies: each would count limits and disable backends by itself/,
  },
  {
    because: 'proxies that share nothing when there are more',
    values: { redis: { type: 'None' }, proxy: { replicas: 1, autoscaling: { enabled: true, minReplicas: 1 } } },
    says: /there may be 10 proxies/,
  },
  {
    because: 'an external Redis that is nowhere',
    values: { redis: { type: 'External' } },
    says: /set redis\.external\.url or/,
  },
  {
    because: 'two external ones',
    values: { redis: { type: 'External', external: { url: 'redis://a', existingSecret: { name: 'b' } } } },
    says: /which one counts/,
  },
  {
    because: 'an external one beside the bundled one',
    values: { redis: { external: { url: 'redis://a' } } },
    says: /set redis\.type to External/,
  },
  {
    because: 'two tokens',
    values: { adminToken: { value: 'a', existingSecret: { name: 'b' } } },
    says: /which one counts/,
  },
  {
    because: 'all namespaces and some',
    values: { watch: { allNamespaces: true, namespaces: ['a'] } },
    says: /which one counts/,
  },
  {
    because: 'more proxies at least than at most',
    values: { proxy: { autoscaling: { minReplicas: 11 } } },
    says: /maxReplicas is less than/,
  },
  {
    because: 'monitors in a cluster without the Prometheus Operator, where they are required',
    values: { monitoring: { monitors: 'Required' } },
    says: /the cluster has no PodMonitor|the cluster has no ServiceMonitor/,
  },
  {
    because: 'alerts in a cluster without the Prometheus Operator, where they are required',
    values: { monitoring: { alerts: 'Required' } },
    says: /the cluster has no PrometheusRule/,
  },
];
