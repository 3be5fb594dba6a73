// The pods that a rendered release would run.

import type { Manifest } from './helm.ts';

/** A key of a Secret. */
export interface SecretKeyRef {
  readonly name: string;
  readonly key: string;
}

/** A container, as far as tests look into it. */
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly secretKeyRef: SecretKeyRef };
  }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number; readonly hostPort?: number }[];
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } };
  readonly resources?: Readonly<Record<'requests' | 'limits', Readonly<Record<string, string>> | undefined>>;
  readonly securityContext?: {
    readonly privileged?: boolean;
    readonly runAsUser?: number;
    readonly allowPrivilegeEscalation?: boolean;
    readonly readOnlyRootFilesystem?: boolean;
    readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
  };
  readonly [probe: `${string}Probe`]: {
    readonly httpGet?: { readonly path: string; readonly port: string };
    readonly tcpSocket?: { readonly port: string };
  };
}

/** A volume; its only other member says which kind it is. */
export type Volume = { readonly name: string } & Readonly<Record<string, { readonly sizeLimit?: string }>>;

/** The spec of a pod. */
export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Volume[];
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly securityContext?: {
    readonly runAsNonRoot?: boolean;
    readonly runAsUser?: number;
    readonly seccompProfile?: { readonly type: string };
  };
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
}

/** A pod of a release. */
export interface RenderedPod {
  /** `Deployment/sluice-proxy` */
  readonly owner: string;
  readonly component: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: PodSpec;
}

/** The only container of the pod of a component. */
export function containerOf(manifests: readonly Manifest[], component: string): Container {
  const [container, ...others] = podOf(manifests, component).spec.containers;
  if (container === undefined || others.length > 0) throw new Error(`${component} has not one container`);
  return container;
}

/** A container's environment, as the kubelet would set it. */
export function environmentOf(
  { env = [] }: Container,
  readSecret: (ref: SecretKeyRef) => string,
): Readonly<Record<string, string>> {
  const environment: Record<string, string> = {};
  for (const { name, value, valueFrom } of env) {
    const text = valueFrom === undefined ? (value ?? '') : readSecret(valueFrom.secretKeyRef);
    environment[name] = text.replaceAll(/\$\((\w+)\)/g, (whole, other: string) => environment[other] ?? whole);
  }
  return environment;
}

interface Template {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
  readonly spec: PodSpec;
}

/** Every pod of a release. Throws where a kind has pods that this function does not know. */
export function podsOf(manifests: readonly Manifest[]): readonly RenderedPod[] {
  return manifests.flatMap((manifest) => {
    const template = templateOf(manifest);
    if (template === undefined) return [];
    const { labels = {} } = template.metadata;
    const owner = `${manifest.kind}/${manifest.metadata.name}`;
    return [{ owner, component: labels['app.kubernetes.io/component'] ?? '', labels, spec: template.spec }];
  });
}

/** The pod of a component. */
export function podOf(manifests: readonly Manifest[], component: string): RenderedPod {
  const found = podsOf(manifests).find((pod) => pod.component === component);
  if (found === undefined) throw new Error(`there is no pod of ${component}`);
  return found;
}

function templateOf(manifest: Manifest): Template | undefined {
  switch (manifest.kind) {
    case 'Pod':
      return manifest as unknown as Template;
    case 'Deployment':
      return (manifest['spec'] as { readonly template: Template }).template;
    case 'StatefulSet':
    case 'DaemonSet':
    case 'Job':
    case 'CronJob':
      throw new Error(`pods of a ${manifest.kind} are not looked at yet`);
    default:
      return undefined;
  }
}
