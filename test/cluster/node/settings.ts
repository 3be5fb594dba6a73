// The command lines and settings of what runs on a node. Where they differ from a usual installation, a comment says why.

import { cniPluginFolder } from '../debian.ts';
import { etcdArgs } from '../flags.ts';
import { certificateOf, serviceAccountKeys } from './certificates.ts';
import { apiServerPort, filesOf, type NodePlace, ranges } from './place.ts';

/** Images that the node itself is made of. */
export const nodeImages = { pause: 'localhost/sluice-pause:dev', coredns: 'localhost/sluice-coredns:dev' } as const;

/** Where containerd listens, as seen inside the node: where it always does. */
export const containerdSocket = '/run/containerd/containerd.sock';

/** Files of settings, as seen inside and outside. */
export function settingsOf(place: NodePlace) {
  const { settings } = filesOf(place);
  return {
    containerd: `${settings}/containerd.toml`,
    network: `${settings}/cni/10-sluice.conflist`,
    networkFolder: `${settings}/cni`,
    kubelet: `${settings}/kubelet.json`,
    proxy: `${settings}/kube-proxy.json`,
    resolver: `${settings}/resolv.conf`,
    kubeconfig: (name: string) => `${settings}/${name}.kubeconfig`,
  } as const;
}

/** On loopback in the node's own network, where its usual ports are free. */
export function nodeEtcdArgs({ folder }: NodePlace): readonly string[] {
  return etcdArgs({ folder, etcdPort: 2379, etcdPeerPort: 2380, apiServerPort });
}

/** As in a real cluster, but for the tokens. */
export function nodeApiServerArgs(place: NodePlace): readonly string[] {
  const { ca, tokens } = filesOf(place);
  const serving = certificateOf(place, 'apiserver');
  const client = certificateOf(place, 'kubelet-client');
  const { signing, verifying } = serviceAccountKeys(place);
  return [
    '--etcd-servers=http://127.0.0.1:2379',
    `--bind-address=${place.nodeAddress}`,
    `--advertise-address=${place.nodeAddress}`,
    `--secure-port=${apiServerPort}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    `--service-cluster-ip-range=${place.serviceRange}`,
    '--allow-privileged=true',
    '--kubelet-preferred-address-types=InternalIP',
    `--kubelet-certificate-authority=${ca.certificate}`,
    `--kubelet-client-certificate=${client.certificate}`,
    `--kubelet-client-key=${client.key}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${verifying}`,
    `--service-account-signing-key-file=${signing}`,
    `--token-auth-file=${tokens}`,
    `--client-ca-file=${ca.certificate}`,
    `--tls-cert-file=${serving.certificate}`,
    `--tls-private-key-file=${serving.key}`,
  ];
}

/** One process of each: nobody to elect. */
export function nodeControllerManagerArgs(place: NodePlace): readonly string[] {
  const { ca } = filesOf(place);
  return [
    `--kubeconfig=${settingsOf(place).kubeconfig('controllerManager')}`,
    '--use-service-account-credentials',
    // At the usual 20 a second, getting tokens for all controllers takes five seconds.
    '--kube-api-qps=200',
    '--kube-api-burst=400',
    '--leader-elect=false',
    '--allocate-node-cidrs',
    `--cluster-cidr=${place.podRange}`,
    `--node-cidr-mask-size=${ranges.pods}`,
    `--service-cluster-ip-range=${place.serviceRange}`,
    `--service-account-private-key-file=${serviceAccountKeys(place).signing}`,
    `--root-ca-file=${ca.certificate}`,
    `--cluster-signing-cert-file=${ca.certificate}`,
    `--cluster-signing-key-file=${ca.key}`,
  ];
}

/** See there. */
export function schedulerArgs(place: NodePlace): readonly string[] {
  return [`--kubeconfig=${settingsOf(place).kubeconfig('scheduler')}`, '--leader-elect=false'];
}

/** Its settings file has the rest. */
export function kubeletArgs(place: NodePlace): readonly string[] {
  return [
    `--config=${settingsOf(place).kubelet}`,
    `--kubeconfig=${settingsOf(place).kubeconfig('kubelet')}`,
    `--hostname-override=${place.name}`,
    `--node-ip=${place.nodeAddress}`,
  ];
}

/** Likewise. */
export function kubeProxyArgs(place: NodePlace): readonly string[] {
  return [`--config=${settingsOf(place).proxy}`];
}

/** containerd 1.6 or newer. */
export function containerdToml(place: NodePlace): string {
  return `version = 2
# A machine that lets nobody lower it refuses what is usual here.
oom_score = 0
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp",
]
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${nodeImages.pause}"
  restrict_oom_score_adj = true
  disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "${cniPluginFolder()}"
  conf_dir = "${settingsOf(place).networkFolder}"
`;
}

/** A bridge, addresses by the node, ports of the host. It enforces no NetworkPolicy. */
export function networkSettings({ podRange }: NodePlace): object {
  return {
    cniVersion: '0.4.0',
    name: 'sluice',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        ipMasq: true,
        hairpinMode: true,
        ipam: { type: 'host-local', ranges: [[{ subnet: podRange }]], routes: [{ dst: '0.0.0.0/0' }] },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

/** A KubeletConfiguration. */
export function kubeletSettings(place: NodePlace): object {
  const { certificate, key } = certificateOf(place, 'kubelet');
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: filesOf(place).ca.certificate },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: certificate,
    tlsPrivateKeyFile: key,
    clusterDomain: 'cluster.local',
    clusterDNS: [place.dnsAddress],
    // No search domains and no servers of the machine: there is nothing outside.
    resolvConf: settingsOf(place).resolver,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: place.cgroup,
    failCgroupV1: false,
    failSwapOn: false,
    // What usual machines allow and some do not.
    oomScoreAdj: 0,
    maxOpenFiles: 20_000,
    // Images come from nowhere again, and a machine that is nearly full is no reason to fail a test.
    imageGCHighThresholdPercent: 100,
    evictionHard: {
      'memory.available': '50Mi',
      'nodefs.available': '0%',
      'nodefs.inodesFree': '0%',
      'imagefs.available': '0%',
      'imagefs.inodesFree': '0%',
    },
  };
}

/** A KubeProxyConfiguration. */
export function kubeProxySettings(place: NodePlace): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clusterCIDR: place.podRange,
    hostnameOverride: place.name,
    clientConnection: { kubeconfig: settingsOf(place).kubeconfig('proxy') },
    // These limits are the machine's, not the network's: leave them.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    oomScoreAdj: 0,
  };
}
