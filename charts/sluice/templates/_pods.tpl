{{/* What the pods of all components have in common. */}}

{{/* The restricted profile of Pod Security. https://kubernetes.io/docs/concepts/security/pod-security-standards/ */}}
{{- define "sluice.podSecurity" -}}
runAsNonRoot: true
{{- with .Values.podSecurity.runAsUser }}
runAsUser: {{ int64 . }}
runAsGroup: {{ int64 . }}
fsGroup: {{ int64 . }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "sluice.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Where the pods run, and how images are pulled. Takes the root and the component. */}}
{{- define "sluice.scheduling" -}}
{{- $root := first . -}}
{{- $component := last . -}}
{{- $values := index $root.Values $component -}}
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
- name: {{ . }}
{{- end }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
{{- if $values.topologySpreadConstraints }}
  {{- toYaml $values.topologySpreadConstraints | nindent 2 }}
{{- else }}
{{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
- maxSkew: 1
  topologyKey: {{ . }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- include "sluice.selector" (list $root $component) | nindent 6 }}
  # The pods of each revision by themselves: those that are about to go must not count.
  matchLabelKeys: [pod-template-hash]
{{- end }}
{{- end }}
{{- end -}}

{{- define "sluice.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
- name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* `extraEnv` after the chart's own variables, but for those that it names too. Takes both lists as YAML. */}}
{{- define "sluice.env" -}}
{{- $extra := fromYamlArray (last .) -}}
{{- $names := list -}}
{{- range $extra }}{{ $names = append $names .name }}{{ end -}}
{{- $all := list -}}
{{- range fromYamlArray (first .) }}{{ if not (has .name $names) }}{{ $all = append $all . }}{{ end }}{{ end -}}
{{ concat $all $extra | toYaml }}
{{- end -}}

{{/* JavaScript's heap in MiB, as a share of the memory limit; nothing where there is no limit in Mi or Gi. */}}
{{- define "sluice.heap" -}}
{{- $memory := dig "limits" "memory" "" .resources | toString -}}
{{- if regexMatch "^[0-9]+(Mi|Gi)$" $memory -}}
{{- $factor := ternary 1024 1 (hasSuffix "Gi" $memory) -}}
{{- $mebibytes := mul (regexFind "^[0-9]+" $memory | int64) $factor -}}
{{ div (mul $mebibytes (int64 .heapPercent)) 100 }}
{{- end -}}
{{- end -}}

{{/* A mark of what values put into Secrets, so that pods start anew when it changes. Not of what is made at random (it stays)
     or of what others own (the chart does not see it). Eight digits: enough to tell two apart, too few to prove a guess. */}}
{{- define "sluice.mark" -}}
{{ . | sha256sum | trunc 8 }}
{{- end -}}

{{/* Labels and annotations of pods. Takes the root, the component, and what is put into Secrets. */}}
{{- define "sluice.podMetadata" -}}
{{- $component := index . 1 -}}
{{- $values := index (first .).Values $component -}}
labels:
  {{- include "sluice.selector" (list (first .) $component) | nindent 2 }}
  {{- with $values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  kubectl.kubernetes.io/default-container: {{ $component }}
  {{- with join "" (last .) }}
  sluice.dev/secrets: {{ include "sluice.mark" . | quote }}
  {{- end }}
  {{- with $values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
