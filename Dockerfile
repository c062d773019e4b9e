# Compiled where it is built, for any processor, without an emulator:
# docker buildx build --platform linux/amd64,linux/arm64,linux/arm/v7 .
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src

# The modules first: they change less often than the code, and their layer is then kept.
COPY go.mod go.sum ./
RUN go mod download

COPY . .

# .git stays out of the build context, so the version has to be told:
# docker build --build-arg VERSION="$(git describe --tags --always --dirty)" --build-arg COMMIT="$(git rev-parse HEAD)" .
ARG VERSION=dev
ARG COMMIT=
ARG TARGETOS TARGETARCH TARGETVARIANT
RUN CGO_ENABLED=0 GOOS=${TARGETOS} GOARCH=${TARGETARCH} GOARM=${TARGETVARIANT#v} go build -trimpath -buildvcs=false \
    -ldflags "-s -w -X main.version=${VERSION} -X main.commit=${COMMIT}" -o /out/data-api ./cmd/data-api

# A scratch image has no shell to make a folder with, so it is copied from here.
RUN mkdir /out/data


FROM scratch

# Webhooks and InfluxDB may be https. The time zones are inside the binary.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/data-api /data-api

# A new volume takes its owner from the image's folder.
COPY --from=build --chown=65532:65532 /out/data /data
VOLUME /data

# A number, as there is no /etc/passwd to look a name up in, and as Kubernetes' runAsNonRoot asks for one.
USER 65532:65532

# 0.0.0.0 is inside the container only; what can be reached from outside is decided where ports are published.
ENV DATABASE_URL=sqlite:/data/metadata.db \
    HISTORY_DATABASE_URL=sqlite:/data/history.db \
    WEBHOOKS_DATABASE_URL=sqlite:/data/webhooks.db \
    DATA_API_HOST=0.0.0.0
EXPOSE 8006

HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["/data-api", "healthcheck"]

ENTRYPOINT ["/data-api"]
CMD ["serve"]
