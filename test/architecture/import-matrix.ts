// Which folder may know which: the table that keeps the proxy free of Kubernetes, decisions free of IO, and each big
// dependency in one place.

/** A folder, or some files of one, and what its files may import. */
export interface Room {
  readonly files: RegExp;
  /** Folders and files that may be imported; a folder may always import itself. */
  readonly imports: readonly string[];
  /** What may be imported with `import type` only. */
  readonly types: readonly string[];
  readonly packages: readonly string[];
  /** Modules of Node itself: any, none, or those named. */
  readonly builtins: 'any' | readonly string[];
}

const canonical = 'proxy/canonical';
const config = 'proxy/config';
const schema = 'proxy/config/schema.ts';
// The contract of both planes: the configuration, and the language of its match expressions.
const contract = [schema, 'proxy/config/match-expression.ts'];
const timeouts = 'proxy/config/timeouts.ts';
const protocol = 'proxy/protocols/protocol.ts';
// The seams: interfaces between the folders of the proxy, each beside the code it is about.
const seams = [protocol, 'proxy/ingress/exchange.ts', 'proxy/accounting/trail.ts', 'proxy/state/store.ts'];
const cel = '@marcbachmann/cel-js';
const telemetry = ['prom-client', 'pino', '@opentelemetry'];
const operatorRooms = [
  'kube',
  'watch',
  'queue',
  'reconcile',
  'compile',
  'apply',
  'status',
  'telemetry',
  'keys',
  'leader',
  'events',
  'acks',
].map((name) => `operator/${name}`);
// What every room of the operator is given, decisions excepted: they know no time and say nothing.
const operatorGround = ['operator/clock.ts', 'operator/log.ts'];

function folder(name: string, allowed: Partial<Omit<Room, 'files'>>): Room {
  return {
    files: new RegExp(`^${name}/`),
    types: [],
    packages: [],
    builtins: 'any',
    ...allowed,
    imports: [name, ...(allowed.imports ?? [])],
  };
}

function files(pattern: RegExp, allowed: Partial<Omit<Room, 'files'>>): Room {
  return { files: pattern, imports: [], types: [], packages: [], builtins: 'any', ...allowed };
}

/** A folder of the proxy: it knows the canonical model, the types of the configuration and the seams; the rest is passed in. */
function proxyFolder(name: string, allowed: Partial<Omit<Room, 'files'>> = {}): Room {
  return folder(`proxy/${name}`, {
    ...allowed,
    imports: [canonical, ...(allowed.imports ?? [])],
    types: [config, ...seams],
  });
}

/** Every room; the first that matches a file counts. */
export const rooms: readonly Room[] = [
  files(/^crds\/main\.ts$/, { imports: ['crds'] }),
  files(/^crds\/generate\.ts$/, { imports: ['crds'], packages: ['zod', 'yaml'], builtins: [] }),
  folder('crds', { packages: ['zod'], builtins: [] }),

  folder(canonical, { builtins: [] }),
  files(/^proxy\/config\/schema\.ts$/, { packages: ['zod'], builtins: [] }),
  // Compiling a snapshot composes: it resolves the configuration into what each of these folders works with.
  files(/^proxy\/config\/(snapshot.*|.*-compile)\.ts$/, {
    imports: ['auth', 'balancing', 'canonical', 'config', 'policy', 'protocols', 'providers', 'routing'].map(
      (name) => `proxy/${name}`,
    ),
  }),
  folder(config, { imports: [canonical], types: seams, packages: ['zod', cel, 're2js'] }),
  folder('proxy/protocols', { imports: [canonical], types: seams, packages: ['@smithy/core', 'gpt-tokenizer'] }),
  folder('proxy/stream', { imports: [canonical], types: seams }),
  proxyFolder('auth'),
  proxyFolder('policy'),
  proxyFolder('routing', { imports: [...contract, timeouts] }),
  proxyFolder('balancing'),
  proxyFolder('health'),
  proxyFolder('accounting'),
  proxyFolder('cache'),
  proxyFolder('state', { packages: ['ioredis'] }),
  proxyFolder('providers', { imports: [protocol], packages: ['@smithy/signature-v4'] }),
  proxyFolder('ingress', { imports: ['proxy/protocols'], packages: ['fastify', '@fastify', 'ipaddr.js'] }),
  proxyFolder('upstream', { packages: ['undici', 'ipaddr.js'] }),
  proxyFolder('kube', { packages: ['undici', 'yaml'] }),
  proxyFolder('admin', { imports: ['proxy/state/store.ts'], packages: ['fastify', '@fastify'] }),
  proxyFolder('console'),
  proxyFolder('telemetry', { packages: telemetry }),
  folder('proxy/command-line', {
    imports: ['proxy/proxy.ts', 'proxy/telemetry/log.ts'],
    types: ['proxy/gateway.ts', 'proxy/ingress/ingress.ts'],
    packages: ['commander'],
  }),
  files(
    /^proxy\/(main|proxy|gateway|gateway-facts|router|leased-trials|probes|system-clock|pipeline|steps\/.*)(\.ts)?$/,
    {
      imports: ['proxy'],
      packages: ['commander'],
    },
  ),

  folder('operator/compile', { imports: ['crds', ...contract], builtins: ['node:crypto'] }),
  folder('operator/status', { imports: ['crds', schema], types: ['operator/compile'], builtins: [] }),
  folder('operator/kube', { imports: ['crds', ...operatorGround], packages: ['@kubernetes/client-node', 'undici'] }),
  folder('operator/keys', {
    imports: ['crds', 'operator/kube', 'operator/compile/generated-key.ts', ...operatorGround],
    types: ['operator/compile', 'operator/queue'],
  }),
  folder('operator/leader', { imports: ['operator/kube', ...operatorGround] }),
  folder('operator/events', { imports: ['operator/kube', ...operatorGround] }),
  folder('operator/acks', {
    imports: ['operator/kube', ...operatorGround],
    types: ['operator/status'],
    packages: ['undici', 'zod'],
  }),
  folder('operator/telemetry', {
    imports: operatorGround,
    types: ['operator/kube', 'operator/queue', 'operator/events'],
    packages: telemetry,
  }),
  files(/^operator\/(watch|queue|reconcile|apply)\//, {
    imports: [...operatorRooms, ...operatorGround, 'crds', schema],
    packages: ['zod'],
  }),
  files(/^operator\/(clock|log)\.ts$/, { builtins: [] }),
  files(/^operator\/(operator|ground|controllers)\.ts$/, { imports: ['operator', 'crds', schema] }),

  files(/^deploy\//, {
    imports: ['crds', 'operator', 'proxy', 'deploy'],
    packages: ['commander', 'yaml', 'zod'],
  }),
];
