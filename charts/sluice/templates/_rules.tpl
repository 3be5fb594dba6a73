{{/* What operator and proxies may do: the rules of deploy/manifests, word by word (test/charts/rbac.test.ts compares them;
     the reason for each rule stands there as well). */}}

{{/* In the namespaces whose resources are served. */}}
{{- define "sluice.rules.served" -}}
# The resources that people write.
- apiGroups: [sluice.dev]
  resources: [llmproviders, llmroutes, llmkeys]
  verbs: [list, watch]
# How they stand. No permission to change what people wrote.
- apiGroups: [sluice.dev]
  resources: [llmproviders/status, llmroutes/status, llmkeys/status]
  verbs: [patch]
# Credentials that the resources refer to. RBAC knows no labels: the operator itself asks only for Secrets with the label
# sluice.dev/credential.
- apiGroups: [""]
  resources: [secrets]
  verbs: [list, watch]
# Secrets of client keys that the operator makes and renews (client.generate). "get" tells whose Secret it is that has the
# name already.
- apiGroups: [""]
  resources: [secrets]
  verbs: [create, get, patch]
# Certificates of authorities (tls.caCertificateRef of kind ConfigMap).
- apiGroups: [""]
  resources: [configmaps]
  verbs: [list, watch]
# Services that endpoints refer to: whether they are there, their ports and type.
- apiGroups: [""]
  resources: [services]
  verbs: [list, watch]
# What happened to an object, for kubectl describe.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{/* Which namespaces let others refer to their providers. */}}
{{- define "sluice.rules.grants" -}}
# Which namespaces let others refer to their providers. Without it, nobody does.
- apiGroups: [gateway.networking.k8s.io]
  resources: [referencegrants]
  verbs: [list, watch]
{{- end -}}

{{/* What is in no namespace. */}}
{{- define "sluice.rules.namespaces" -}}
# Labels of namespaces decide tenants (sluice.dev/tenant) and access.namespaces.selector. Without it, a tenant is the
# namespace, and selectors find nothing.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [list, watch]
{{- end -}}

{{- define "sluice.shards" -}}
{{- $index := include "sluice.index" . -}}
{{- range until 8 }}
- {{ $index }}-{{ . }}
{{- end }}
{{- end -}}

{{/* The operator in the release's namespace. */}}
{{- define "sluice.rules.operator" -}}
# The published configuration, found by its labels.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [list, watch]
# Making, changing and taking away just these: the index, and the shards of a large configuration. The operator applies
# them (server-side), so their names are known when the API server asks whether it may create them; a POST would need
# "create" without names.
- apiGroups: [""]
  resources: [configmaps]
  resourceNames:
  - {{ include "sluice.index" . }}
  {{- include "sluice.shards" . | trim | nindent 2 }}
  verbs: [create, patch, delete]
# The credentials for the proxies. Applied too; listed and watched by its name.
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [{{ include "sluice.index" . }}-credentials]
  verbs: [list, watch, create, patch]
# One replica leads. A Lease cannot be made by name: its name is not known to the API server when it is asked.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "sluice.index" . }}-operator]
  verbs: [get, update]
# The proxies, to be asked which revision they serve.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
{{- end -}}

{{/* A proxy that follows the API server. */}}
{{- define "sluice.rules.proxy" -}}
# The index is watched: a watch begins with the object as it is, so nothing is ever listed. Shards are read when the index
# names them.
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [{{ include "sluice.index" . }}]
  verbs: [watch]
- apiGroups: [""]
  resources: [configmaps]
  resourceNames:
  {{- include "sluice.shards" . | trim | nindent 2 }}
  verbs: [get]
# The credentials that belong to the configuration.
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [{{ include "sluice.index" . }}-credentials]
  verbs: [watch]
{{- end -}}
