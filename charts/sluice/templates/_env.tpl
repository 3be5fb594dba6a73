{{/* Environment variables of the programs: each is a flag of the command line as well (`sluice --help`). */}}

{{- define "sluice.operatorEnv" -}}
- name: SLUICE_CLASS
  value: {{ .Values.className | quote }}
- name: SLUICE_INSTALL_NAMESPACE
  value: {{ .Release.Namespace }}
{{- with include "sluice.watchedNamespaces" . | fromJsonArray }}
- name: SLUICE_WATCH_NAMESPACE
  value: {{ join "," . | quote }}
{{- end }}
- name: SLUICE_PROXY_SELECTOR
  value: app.kubernetes.io/name=sluice,app.kubernetes.io/instance={{ .Release.Name }},app.kubernetes.io/component=proxy
- name: SLUICE_ADMIN
  value: {{ printf "%s:9090" .Values.listenHost | quote }}
- name: SLUICE_ADMIN_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ include "sluice.adminTokenSecret" . }}
      key: {{ ternary .Values.adminToken.existingSecret.key "token" (ne .Values.adminToken.existingSecret.name "") }}
- name: DISABLED_TIME
  value: {{ .Values.operator.disabledTimeMinutes | quote }}
- name: LOG_LEVEL
  value: {{ .Values.logLevel }}
{{- with include "sluice.heap" .Values.operator }}
- name: NODE_OPTIONS
  value: --max-old-space-size={{ . }}
{{- end }}
{{- end }}

{{- define "sluice.proxyEnv" -}}
- name: SLUICE_CLASS
  value: {{ .Values.className | quote }}
- name: SLUICE_CONFIG
  value: /etc/sluice/config
{{- if .Values.proxy.watch }}
- name: SLUICE_WATCH
  value: {{ .Release.Namespace }}/{{ include "sluice.index" . }}
{{- end }}
- name: SLUICE_LISTEN
  value: {{ printf "%s:8080" .Values.listenHost | quote }}
- name: SLUICE_ADMIN
  value: {{ printf "%s:9090" .Values.listenHost | quote }}
- name: SLUICE_ADMIN_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ include "sluice.adminTokenSecret" . }}
      key: {{ ternary .Values.adminToken.existingSecret.key "token" (ne .Values.adminToken.existingSecret.name "") }}
{{- if eq .Values.redis.type "Bundled" }}
- name: REDIS_PASSWORD
  valueFrom:
    secretKeyRef: {name: {{ include "sluice.redisSecret" . }}, key: password}
- name: REDIS_URL
  value: redis://:$(REDIS_PASSWORD)@{{ include "sluice.fullname" . }}-redis:6379
{{- else if eq .Values.redis.type "External" }}
- name: REDIS_URL
  valueFrom:
    secretKeyRef:
      name: {{ include "sluice.redisSecret" . }}
      key: {{ ternary .Values.redis.external.existingSecret.key "url" (ne .Values.redis.external.existingSecret.name "") }}
{{- end }}
- name: SLUICE_REPLICAS
  value: {{ include "sluice.proxies" . | quote }}
- name: SLUICE_DRAIN_SECONDS
  value: {{ .Values.proxy.drainSeconds | quote }}
{{- with .Values.proxy.allowEndpointCidrs }}
- name: SLUICE_ALLOW_ENDPOINT_CIDR
  value: {{ join "," . | quote }}
{{- end }}
{{- with .Values.proxy.allowSourceCidrs }}
- name: SLUICE_ALLOW_SOURCE_CIDR
  value: {{ join "," . | quote }}
{{- end }}
{{- if .Values.proxy.pluginsConfigMap }}
- name: SLUICE_PLUGINS
  value: /etc/sluice/plugins
{{- end }}
- name: SLUICE_ACCESS_LOG
  value: {{ .Values.proxy.accessLog | quote }}
- name: LOG_LEVEL
  value: {{ .Values.logLevel }}
{{- with include "sluice.heap" .Values.proxy }}
- name: NODE_OPTIONS
  value: --max-old-space-size={{ . }}
{{- end }}
{{- end }}
