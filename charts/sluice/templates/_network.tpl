{{/* An egress rule. Takes networkPolicy.apiServer. */}}
{{- define "sluice.toApiServer" }}
# No label selects the API server, and whether the port of its Service or the one behind it counts depends on the network.
- {{ with .cidrs }}to:
  {{- range . }}
  - ipBlock: {cidr: {{ . | quote }}}
  {{- end }}
  {{ end }}ports:
  {{- range .ports }}
  - {protocol: TCP, port: {{ . }}}
  {{- end }}
{{- end }}
