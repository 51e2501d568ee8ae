{{/* Names and parts that several objects share. */}}

{{- define "parcelwatch.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{- define "parcelwatch.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "parcelwatch.labels" -}}
{{ include "parcelwatch.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "parcelwatch.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "parcelwatch.name" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end }}

{{- define "parcelwatch.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- define "parcelwatch.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "parcelwatch.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* How brokers and topics are found: the environment of every container. */}}
{{- define "parcelwatch.connection" -}}
- {name: PARCELWATCH_BROKER, value: {{ .Values.broker | quote }}}
- {name: PARCELWATCH_APP_ID, value: {{ .Values.appId | quote }}}
- {name: PARCELWATCH_LOG_FORMAT, value: json}
{{- with .Values.topicPrefix }}
- {name: PARCELWATCH_TOPIC_PREFIX, value: {{ . | quote }}}
{{- end }}
{{- with .Values.topicNames }}
{{- $pairs := list }}
{{- range $name, $topic := . }}{{ $pairs = append $pairs (printf "%s=%s" $name $topic) }}{{ end }}
- {name: PARCELWATCH_TOPICS, value: {{ join "," $pairs | quote }}}
{{- end }}
{{- with .Values.security }}
- {name: PARCELWATCH_SECURITY_PROTOCOL, value: {{ .protocol | quote }}}
{{- if hasPrefix "SASL" .protocol }}
- {name: PARCELWATCH_SASL_MECHANISM, value: {{ .saslMechanism | quote }}}
{{- with .saslUsername }}
- {name: PARCELWATCH_SASL_USERNAME, value: {{ . | quote }}}
{{- end }}
{{- with .saslTokenProvider }}
- {name: PARCELWATCH_SASL_TOKEN_PROVIDER, value: {{ . | quote }}}
{{- end }}
{{- if include "parcelwatch.saslPassword" $ }}
# A file, not a variable: a password is changed without a restart.
- {name: PARCELWATCH_SASL_PASSWORD_FILE, value: /etc/parcelwatch-sasl/sasl-password}
{{- end }}
{{- end }}
{{- if .existingTlsSecret }}
- {name: PARCELWATCH_SSL_CAFILE, value: /etc/parcelwatch-tls/ca.crt}
{{- if .clientCertificate }}
- {name: PARCELWATCH_SSL_CERTFILE, value: /etc/parcelwatch-tls/tls.crt}
- {name: PARCELWATCH_SSL_KEYFILE, value: /etc/parcelwatch-tls/tls.key}
{{- end }}
{{- end }}
{{- $secret := .existingSecret }}
{{- if $secret }}
{{- range $variable, $key := dict "PARCELWATCH_SSL_KEY_PASSWORD" "ssl-key-password" "PARCELWATCH_BUYER_KEY" "buyer-key" }}
- name: {{ $variable }}
  valueFrom:
    secretKeyRef: {name: {{ $secret }}, key: {{ $key }}, optional: true}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The Secret with the password, where there is one to come by. */}}
{{- define "parcelwatch.saslPassword" -}}
{{- with .Values.security }}
{{- if and (hasPrefix "SASL" .protocol) (not .saslTokenProvider) }}{{ .existingSecret }}{{ end }}
{{- end }}
{{- end }}

{{/* What brokers know a client by: certificates and a password, as files that may change. */}}
{{- define "parcelwatch.credentialMounts" -}}
{{- if .Values.security.existingTlsSecret }}
- {name: tls, mountPath: /etc/parcelwatch-tls, readOnly: true}
{{- end }}
{{- if include "parcelwatch.saslPassword" . }}
- {name: sasl, mountPath: /etc/parcelwatch-sasl, readOnly: true}
{{- end }}
{{- end }}

{{- define "parcelwatch.credentialVolumes" -}}
{{- with .Values.security.existingTlsSecret }}
- name: tls
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- with include "parcelwatch.saslPassword" . }}
- name: sasl
  secret: {secretName: {{ . }}, defaultMode: 0440, items: [{key: sasl-password, path: sasl-password}]}
{{- end }}
{{- end }}
