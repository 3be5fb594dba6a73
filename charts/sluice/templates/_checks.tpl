{{/* What no schema can say: values that do not go together. Included by a template that is always rendered. */}}
{{- define "sluice.checks" -}}
{{- $proxy := .Values.proxy -}}
{{- $most := ternary $proxy.autoscaling.maxReplicas $proxy.replicas $proxy.autoscaling.enabled | int -}}
{{- $redis := .Values.redis -}}
{{- if and (eq $redis.type "None") (gt $most 1) -}}
{{- fail (printf "redis.type is None, and there may be %d proxies: each would count limits and disable backends by itself. Set redis.type to External (or Bundled, for trying out), or proxy.replicas to 1." $most) -}}
{{- end -}}
{{- if eq $redis.type "External" -}}
{{- if not (or $redis.external.url $redis.external.existingSecret.name) -}}
{{- fail "redis.type is External: set redis.external.url or redis.external.existingSecret.name." -}}
{{- end -}}
{{- if and $redis.external.url $redis.external.existingSecret.name -}}
{{- fail "redis.external.url and redis.external.existingSecret.name are both set: which one counts?" -}}
{{- end -}}
{{- else if or $redis.external.url $redis.external.existingSecret.name -}}
{{- fail (printf "redis.external is set, and redis.type is %s: set redis.type to External." $redis.type) -}}
{{- end -}}
{{- if and .Values.adminToken.value .Values.adminToken.existingSecret.name -}}
{{- fail "adminToken.value and adminToken.existingSecret.name are both set: which one counts?" -}}
{{- end -}}
{{- if and .Values.watch.allNamespaces .Values.watch.namespaces -}}
{{- fail "watch.allNamespaces and watch.namespaces are both set: which one counts?" -}}
{{- end -}}
{{- if lt (int $proxy.autoscaling.maxReplicas) (int $proxy.autoscaling.minReplicas) -}}
{{- fail "proxy.autoscaling.maxReplicas is less than proxy.autoscaling.minReplicas." -}}
{{- end -}}
{{- end -}}

{{/* Whether to render what needs a kind of the Prometheus Operator: "true", or nothing. Takes the root, the kind, and the
     path of the value. */}}
{{- define "sluice.needs" -}}
{{- $root := index . 0 -}}
{{- $kind := index . 1 -}}
{{- $value := get $root.Values.monitoring (index . 2) -}}
{{- $there := $root.Capabilities.APIVersions.Has (printf "monitoring.coreos.com/v1/%s" $kind) -}}
{{- if and (eq $value "Required") (not $there) -}}
{{- fail (printf "monitoring.%s is Required, and the cluster has no %s (monitoring.coreos.com/v1): install the Prometheus Operator first, or set it to Auto or Never. Without a cluster, say --api-versions monitoring.coreos.com/v1/%s." (index . 2) $kind $kind) -}}
{{- end -}}
{{- if and (ne $value "Never") $there -}}
true
{{- end -}}
{{- end -}}
