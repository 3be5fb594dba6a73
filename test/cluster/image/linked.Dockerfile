# One program of this machine with the libraries it is linked with; its context is the file system.
FROM scratch
COPY . /
ENV PATH=/usr/bin
USER 65532:65532
