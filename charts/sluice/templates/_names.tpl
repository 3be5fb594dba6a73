{{/* What objects are called, and how they are found. */}}

{{- define "sluice.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains $name .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{/* Labels of every object. Takes a list: the root, and the component. */}}
{{- define "sluice.labels" -}}
{{- $root := first . -}}
{{ include "sluice.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: sluice
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Labels by which pods are found; they never change. Takes the same list. */}}
{{- define "sluice.selector" -}}
app.kubernetes.io/name: sluice
app.kubernetes.io/instance: {{ (first .).Release.Name }}
app.kubernetes.io/component: {{ last . }}
{{- end -}}

{{/* The ServiceAccount of a component. Takes the root and the component. */}}
{{- define "sluice.serviceAccount" -}}
{{- $root := first . -}}
{{- $account := (index $root.Values (last .)).serviceAccount -}}
{{- if $account.name -}}
{{ $account.name }}
{{- else if $account.create -}}
{{ include "sluice.fullname" $root }}-{{ last . }}
{{- else -}}
default
{{- end -}}
{{- end -}}

{{- define "sluice.adminTokenSecret" -}}
{{ .Values.adminToken.existingSecret.name | default (printf "%s-admin-token" (include "sluice.fullname" .)) }}
{{- end -}}

{{- define "sluice.redisSecret" -}}
{{- if eq .Values.redis.type "External" -}}
{{ .Values.redis.external.existingSecret.name | default (printf "%s-redis" (include "sluice.fullname" .)) }}
{{- else -}}
{{ include "sluice.fullname" . }}-redis
{{- end -}}
{{- end -}}

{{/* The ConfigMap of the configuration's index. The operator makes it, and everything that is named after it. */}}
{{- define "sluice.index" -}}
sluice-{{ .Values.className }}
{{- end -}}

{{/* The namespaces whose resources are served, as a YAML list; empty: all. */}}
{{- define "sluice.watchedNamespaces" -}}
{{- if .Values.watch.allNamespaces -}}
[]
{{- else -}}
{{ .Values.watch.namespaces | default (list .Release.Namespace) | uniq | toJson }}
{{- end -}}
{{- end -}}

{{/* An image. Takes its values, and the tag where they have none. */}}
{{- define "sluice.image" -}}
{{- $image := first . -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default (last .) }}
{{- end -}}
{{- end -}}

{{/* The least number of proxies that there are when all is well. */}}
{{- define "sluice.proxies" -}}
{{ ternary .Values.proxy.autoscaling.minReplicas .Values.proxy.replicas .Values.proxy.autoscaling.enabled | int | max 1 }}
{{- end -}}

{{/* `className: NAME, ` where the class is not the usual one. */}}
{{- define "sluice.notes.class" -}}
{{- if ne .Values.className "default" }}className: {{ .Values.className }}, {{ end -}}
{{- end -}}
