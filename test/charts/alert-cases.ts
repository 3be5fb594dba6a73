// When each alert fires, with which words, and when it does not. Series stand once a minute; `a+bxn` begins with a and grows
// n times by b, `_xn` is nothing n times.

/** Series by selector, without the labels of the pod. */
export type CaseSeries = Readonly<Record<string, string>>;

/** One alert. */
export interface AlertCase {
  readonly alert: string;
  readonly pod: 'proxy' | 'operator';
  /** It fires with these at this time, and says so. */
  readonly fires: CaseSeries;
  readonly at: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly description: string;
  /** It does not with any of these, at the same time. */
  readonly quiet: readonly CaseSeries[];
}

const answered = 'sluice_requests_total{route="team-a/chat",code="200",outcome="answered"}';
const failed = 'sluice_requests_total{route="team-a/chat",code="502",outcome="refused"}';
const clientsOwn = 'sluice_requests_total{route="team-a/chat",code="401",outcome="refused"}';
const broken = 'sluice_requests_total{route="team-a/chat",code="200",outcome="failed-in-band"}';
const backend = (name: string, state: string): string =>
  `sluice_backend_state{route="team-a/chat",backend="${name}",state="${state}"}`;
const refusedKeys = 'sluice_disables_total{kind="key",class="Authentication",origin="local"}';
const leads = 'leader_election_master_status{name="sluice-default-operator"}';

/** All of them. */
export const alertCases: readonly AlertCase[] = [
  {
    alert: 'SluiceRequestsFail',
    pod: 'proxy',
    fires: { [answered]: '0+90x30', [failed]: '0+6x30', [broken]: '0+4x30' },
    at: '15m',
    labels: { route: 'team-a/chat' },
    summary: 'Requests of route team-a/chat fail',
    description:
      '10% of the requests of route team-a/chat failed in the last 5 minutes, after every backend that could be tried.',
    quiet: [
      { [answered]: '0+97x30', [failed]: '0+3x30' },
      { [answered]: '0+50x30', [clientsOwn]: '0+50x30' },
      // Hardly anybody asks.
      { [answered]: '0+1x30', [failed]: '0+1x30' },
      // It is over.
      { [answered]: '0+90x30', [failed]: '0+90x5 450+0x25' },
    ],
  },
  {
    alert: 'SluiceStreamsBreak',
    pod: 'proxy',
    fires: { [answered]: '0+98x60', [broken]: '0+2x60' },
    at: '45m',
    labels: { route: 'team-a/chat' },
    summary: 'Streams of route team-a/chat break off',
    description: '2% of the answers of route team-a/chat ended in an error after they had begun.',
    quiet: [
      { [answered]: '0+200x60', [broken]: '0+1x60' },
      { [answered]: '0+50x60', [failed]: '0+50x60' },
    ],
  },
  {
    alert: 'SluiceRouteWithoutBackend',
    pod: 'proxy',
    fires: { [backend('a', 'disabled')]: '1x10', [backend('b', 'disabled')]: '1x10' },
    at: '5m',
    labels: { route: 'team-a/chat' },
    summary: 'Route team-a/chat has no backend left',
    description:
      'All 2 backends of route team-a/chat (over all proxies) are disabled. Requests fail, or go to the one that returns soonest, as the route says.',
    quiet: [
      { [backend('a', 'disabled')]: '1x10', [backend('b', 'enabled')]: '1x10' },
      { [backend('a', 'disabled')]: '1x10', [backend('b', 'trial')]: '1x10' },
    ],
  },
  {
    alert: 'SluiceBackendDisabled',
    pod: 'proxy',
    fires: { [backend('a', 'disabled')]: '1x60', [backend('b', 'enabled')]: '1x60' },
    at: '40m',
    labels: { route: 'team-a/chat', backend: 'a' },
    summary: 'Backend team-a/chat/a stays disabled',
    description:
      'Backend a of route team-a/chat has been disabled for 30 minutes, by failures after each trial or by hand. Others answer in its place.',
    quiet: [
      { [backend('a', 'enabled')]: '1x60' },
      // Ten minutes, and back.
      { [backend('a', 'disabled')]: '_x25 1x10 _x25', [backend('a', 'enabled')]: '1x25 _x10 1x25' },
    ],
  },
  {
    alert: 'SluiceUpstreamKeyRefused',
    pod: 'proxy',
    // The first of its kind: before it there was no series at all.
    fires: { [refusedKeys]: '_x40 1x20' },
    at: '45m',
    labels: { class: 'Authentication' },
    summary: 'A provider refuses an upstream key (Authentication)',
    description:
      'In the last 30 minutes providers have refused upstream keys 1 times for Authentication. Other keys of the pool go on.',
    quiet: [
      // Long ago; a limit of requests; heard of from another proxy, which counts it itself.
      { [refusedKeys]: '1x60' },
      { 'sluice_disables_total{kind="key-model",class="RateLimit",origin="local"}': '_x40 5x20' },
      { 'sluice_disables_total{kind="key",class="Authentication",origin="shared"}': '_x40 1x20' },
    ],
  },
  {
    alert: 'SluiceProxiesMissing',
    pod: 'proxy',
    fires: {},
    at: '10m',
    summary: 'No proxy of Sluice is there',
    description: 'Prometheus scrapes no proxy in sluice-system. Either none runs, or it is not allowed to scrape them.',
    quiet: [{ sluice_build_info: '1x20' }, { sluice_build_info: '1x5 _x3 1x10' }],
  },
  {
    alert: 'SluiceProxyWithoutConfiguration',
    pod: 'proxy',
    fires: { sluice_build_info: '1x20' },
    at: '10m',
    labels: { pod: 'sluice-proxy-1' },
    summary: 'Proxy sluice-proxy-1 has no configuration',
    description:
      'Proxy sluice-proxy-1 has been up for 5 minutes without a configuration. It is not ready, and gets no requests.',
    quiet: [{ sluice_build_info: '1x20', sluice_config_revision: '_x3 1700000000000x17' }],
  },
  {
    alert: 'SluiceConfigurationRefused',
    pod: 'proxy',
    fires: {
      sluice_config_applied_timestamp_seconds: '1000x20',
      sluice_config_last_refusal_timestamp_seconds: '2000x20',
    },
    at: '5m',
    labels: { pod: 'sluice-proxy-1' },
    summary: 'Proxy sluice-proxy-1 refuses the configuration',
    description: 'Proxy sluice-proxy-1 has refused the latest configuration and goes on with the one before.',
    quiet: [
      { sluice_config_applied_timestamp_seconds: '1000x20' },
      {
        sluice_config_applied_timestamp_seconds: '3000x20',
        sluice_config_last_refusal_timestamp_seconds: '2000x20',
      },
    ],
  },
  {
    alert: 'SluiceConfigurationsDiffer',
    pod: 'proxy',
    fires: {
      sluice_config_revision: '1700000000000x20',
      'sluice_config_revision{pod="sluice-proxy-2"}': '1700000005000x20',
    },
    at: '10m',
    summary: 'Proxies serve different configurations',
    description: 'For 5 minutes the proxies in sluice-system have not been serving the same revision.',
    quiet: [
      {
        sluice_config_revision: '1700000000000x20',
        'sluice_config_revision{pod="sluice-proxy-2"}': '1700000000000x20',
      },
      // Those of another release in the namespace.
      { sluice_config_revision: '1700000000000x20', 'sluice_config_revision{pod="blue-sluice-proxy-1"}': '5x20' },
    ],
  },
  {
    alert: 'SluiceRedisUnavailable',
    pod: 'proxy',
    fires: { 'sluice_store_up{kind="redis"}': '0x20', 'sluice_store_up{kind="redis",pod="sluice-proxy-2"}': '0x20' },
    at: '10m',
    summary: 'Proxies cannot reach Redis',
    description:
      '2 proxies in sluice-system have been without Redis for 5 minutes. Requests go on; limits are divided among the proxies, and each learns of failures by itself.',
    quiet: [{ 'sluice_store_up{kind="redis"}': '1x20' }, { 'sluice_store_up{kind="memory"}': '1x20' }],
  },
  {
    alert: 'SluiceProxyBusy',
    pod: 'proxy',
    fires: { nodejs_eventloop_lag_p99_seconds: '0.5x30' },
    at: '15m',
    labels: { pod: 'sluice-proxy-1' },
    summary: 'Proxy sluice-proxy-1 is overloaded',
    description:
      'The event loop of proxy sluice-proxy-1 lags by 500ms (99th percentile). Every request and every stream of it waits that long.',
    quiet: [
      { nodejs_eventloop_lag_p99_seconds: '0.03x30' },
      // Somebody else's program.
      { 'nodejs_eventloop_lag_p99_seconds{pod="shop-1"}': '5x30' },
    ],
  },
  {
    alert: 'SluiceOperatorMissing',
    pod: 'operator',
    fires: {},
    at: '15m',
    summary: 'No operator of Sluice is there',
    description:
      'Prometheus scrapes no operator in sluice-system. Proxies go on with what they have; changes are not carried out.',
    quiet: [{ sluice_operator_build_info: '1x20' }],
  },
  {
    alert: 'SluiceOperatorWithoutLeader',
    pod: 'operator',
    fires: { [leads]: '0x20' },
    at: '5m',
    summary: 'No operator of Sluice leads',
    description:
      'No operator in sluice-system has held the lease for 3 minutes. Proxies go on with what they have; changes are not carried out.',
    quiet: [
      { [leads]: '0x20', [leads.replace('}', ',pod="sluice-operator-2"}')]: '1x20' },
      { [leads]: '1x3 0x2 1x15' },
    ],
  },
  {
    alert: 'SluiceReconcileErrors',
    pod: 'operator',
    fires: { 'controller_runtime_reconcile_errors_total{controller="configuration"}': '0+1x60' },
    at: '30m',
    labels: { controller: 'configuration' },
    summary: 'The operator cannot do its work (configuration)',
    description: 'Runs of configuration have been failing for 15 minutes. They are tried again, with growing waits.',
    quiet: [
      { 'controller_runtime_reconcile_errors_total{controller="configuration"}': '7x60' },
      { 'controller_runtime_reconcile_errors_total{controller="configuration",pod="cert-manager-1"}': '0+1x60' },
    ],
  },
  {
    alert: 'SluiceReconcileStuck',
    pod: 'operator',
    fires: { 'workqueue_longest_running_processor_seconds{controller="status",name="status"}': '60+60x30' },
    at: '10m',
    labels: { controller: 'status' },
    summary: 'A run of the operator does not end (status)',
    description: 'A run of status has been under way for 11m 0s.',
    quiet: [{ 'workqueue_longest_running_processor_seconds{controller="status",name="status"}': '0 5 0 3 70 0x30' }],
  },
  {
    alert: 'SluiceProxiesBehind',
    pod: 'operator',
    fires: { [leads]: '1x20', 'sluice_operator_proxies{state="behind"}': '2x20' },
    at: '10m',
    labels: { state: 'behind', pod: 'sluice-operator-1' },
    summary: 'Proxies have not come to the latest configuration',
    description: '2 proxies in sluice-system have been behind for 5 minutes, or do not answer the operator.',
    quiet: [
      // One that does not lead asks nobody, and knows of no answers.
      { [leads]: '0x20', 'sluice_operator_proxies{state="behind"}': '2x20' },
      { [leads]: '1x20', 'sluice_operator_proxies{state="behind"}': '0x20' },
      { [leads]: '1x20', 'sluice_operator_proxies{state="current"}': '2x20' },
    ],
  },
  {
    alert: 'SluiceObjectsNotReady',
    pod: 'operator',
    fires: {
      'sluice_operator_objects{kind="LLMRoute",ready="False"}': '3x60',
      'sluice_operator_objects{kind="LLMRoute",ready="False",pod="sluice-operator-2"}': '3x60',
    },
    at: '45m',
    labels: { kind: 'LLMRoute' },
    summary: '3 objects of kind LLMRoute are not ready',
    description: 'Their status says why, and which field is meant.',
    quiet: [{ 'sluice_operator_objects{kind="LLMRoute",ready="True"}': '3x60' }],
  },
];
