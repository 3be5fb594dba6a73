# What sluice-base of base.ts is made of; its context is the file system.
FROM scratch
COPY . /
USER 65532:65532
ENTRYPOINT ["/nodejs/bin/node"]
