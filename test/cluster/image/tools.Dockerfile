# The base with a shell and npm, for the steps of deploy/Dockerfile.
ARG BASE
FROM ${BASE}
COPY . /
USER 0:0
ENV HOME=/npm PATH=/usr/local/bin:/usr/bin:/bin NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
ENTRYPOINT []
