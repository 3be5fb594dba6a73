import { describe, expect, it, test } from 'vitest';
import { operatorOptions, readOperatorSettings } from '../../deploy/standalone/operator-options.ts';
import { StartFailure, UsageError } from '../../proxy/command-line/failures.ts';
import type { Environment, Flags } from '../../proxy/command-line/options.ts';

const home = { HOME: '/somewhere' };

function read(flags: Flags, environment: Environment = home) {
  return readOperatorSettings(flags, environment, { version: '1.2.3', newId: () => 'an-id' });
}

test('without flags and variables everything has its default', () => {
  const { operator, logLevel } = read({});
  expect(logLevel).toBe('info');
  expect(operator).toEqual({
    version: '1.2.3',
    credentials: { type: 'kubeconfig', path: '/somewhere/.kube/config' },
    className: 'default',
    installNamespace: undefined,
    watchNamespaces: [],
    proxySelector: undefined,
    proxyAddresses: [],
    adminToken: undefined,
    admin: { host: '127.0.0.1', port: 9090 },
    disableSecondsDefault: 600,
    identity: expect.stringMatching(/^.+_an-id$/),
  });
});

const environment = {
  KUBECONFIG: '/etc/kubeconfig',
  SLUICE_CLASS: 'blue',
  SLUICE_INSTALL_NAMESPACE: 'gateways',
  SLUICE_WATCH_NAMESPACE: 'team-a, team-b team-a',
  SLUICE_PROXY_SELECTOR: 'app.kubernetes.io/component=proxy,env in (prod, stage)',
  SLUICE_PROXY_ADMIN: '10.0.0.1:9090,[fe80::1]:9091',
  SLUICE_ADMIN: ':8443',
  SLUICE_ADMIN_TOKEN: 'token',
  DISABLED_TIME: '0.5',
  LOG_LEVEL: 'debug',
};

test('every option can be given by its variable', () => {
  const { operator, logLevel } = read({}, environment);
  expect(logLevel).toBe('debug');
  expect(operator).toMatchObject({
    credentials: { type: 'kubeconfig', path: '/etc/kubeconfig' },
    className: 'blue',
    installNamespace: 'gateways',
    watchNamespaces: ['team-a', 'team-b'],
    proxySelector: 'app.kubernetes.io/component=proxy,env in (prod, stage)',
    proxyAddresses: [
      { proxy: '10.0.0.1:9090', host: '10.0.0.1', port: 9090 },
      { proxy: '[fe80::1]:9091', host: 'fe80::1', port: 9091 },
    ],
    admin: { host: '::', port: 8443 },
    adminToken: 'token',
    disableSecondsDefault: 30,
  });
  const variables = Object.values(operatorOptions).map(({ variable }) => variable);
  expect(variables.filter((name) => !Object.hasOwn(environment, name))).toEqual([]);
});

test('a flag counts more than its variable', () => {
  const flags = { class: 'green', watchNamespace: 'team-c', proxyAdmin: '9090', admin: '8080' };
  expect(read(flags, environment).operator).toMatchObject({
    className: 'green',
    watchNamespaces: ['team-c'],
    proxyAddresses: [{ proxy: '9090', host: '127.0.0.1', port: 9090 }],
    admin: { host: '127.0.0.1', port: 8080 },
  });
});

test('every process has an identity of its own', () => {
  const ids = ['one', 'two'];
  const next = () => readOperatorSettings({}, home, { version: '1', newId: () => ids.pop() ?? '' }).operator.identity;
  expect(next()).not.toBe(next());
});

describe('credentials', () => {
  it('are those of the ServiceAccount in a pod', () => {
    const pod = { ...home, KUBERNETES_SERVICE_HOST: '10.0.0.1' };
    expect(read({}, pod).operator.credentials).toEqual({ type: 'in-cluster' });
    expect(read({ kubeconfig: 'a' }, pod).operator.credentials).toEqual({ type: 'kubeconfig', path: 'a' });
  });

  it('must be given where there is neither a pod nor a home', () => {
    expect(() => read({}, {})).toThrow(
      new UsageError('--kubeconfig must be given outside a cluster, or the environment variable KUBECONFIG'),
    );
  });
});

describe('what makes no sense', () => {
  it.each([
    ['class', 'Blue', '--class must be lower-case letters, digits and "-"'],
    ['class', 'blue-0', '--class must not end in "-" and one digit: shards of a configuration are named so'],
    ['watchNamespace', ',', '--watch-namespace must name a namespace; all are watched where it is left out'],
    ['watchNamespace', '', '--watch-namespace must name a namespace; all are watched where it is left out'],
    [
      'watchNamespace',
      'team-a,*',
      '--watch-namespace must be the name of a namespace, lower-case letters, digits and "-", and not "*"',
    ],
    [
      'installNamespace',
      'a/b',
      '--install-namespace must be the name of a namespace, lower-case letters, digits and "-", and not "a/b"',
    ],
    ['proxyAdmin', 'proxy', '--proxy-admin must be HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080'],
    ['proxyAdmin', '10.0.0.1:0', '--proxy-admin must have a port'],
    ['proxyAdmin', ' ', '--proxy-admin must be HOST:PORT, or several with commas between them'],
    ['kubeconfig', 'a:b', '--kubeconfig must be one file: kubectl config view --flatten makes one of several'],
    ['kubeconfig', '', '--kubeconfig must be a file'],
    ['admin', '1.2.3.4:99999', '--admin must be HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080'],
    ['logLevel', 'loud', '--log-level must be one of'],
  ])('is wrong usage in a flag: %s %j', (name, value, message) => {
    expect(() => read({ [name]: value })).toThrow(UsageError);
    expect(() => read({ [name]: value })).toThrow(message);
  });

  it('is a failure to start in a variable', () => {
    expect(() => read({}, { ...home, SLUICE_WATCH_NAMESPACE: ' , ' })).toThrow(StartFailure);
    expect(() => read({}, { ...home, KUBECONFIG: '/a:/b' })).toThrow(
      'the environment variable KUBECONFIG must be one file: kubectl config view --flatten makes one of several',
    );
    expect(() => read({}, { ...home, DISABLED_TIME: 'soon' })).toThrow(StartFailure);
  });
});

describe('a selector of pods', () => {
  it.each([
    'app=proxy',
    'app==proxy, tier!=free',
    'app.kubernetes.io/component=proxy,app.kubernetes.io/instance=sluice',
    'app in (proxy)',
    'app notin (a, b),!legacy',
    'app',
    'app=',
  ])('may be %j', (selector) => {
    expect(read({ proxySelector: selector }).operator.proxySelector).toBe(selector);
  });

  it.each(['', ' ', 'app=proxy,', '=proxy', 'app=a b', 'app in proxy', 'app in (a', '/x=y', 'app=proxy;drop'])(
    'may not be %j: it would select nothing that is meant, or every pod',
    (selector) => {
      expect(() => read({ proxySelector: selector })).toThrow('--proxy-selector must be a label selector');
    },
  );
});
