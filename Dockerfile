# One image for the three programs: the function (the default), the client and the server.
#
#   docker build --tag backup-maker .
#
# It holds /opt/backup-maker, the client with all that it needs, which pods copy next to the data's own tools; and what
# the procedures "files" and "sqlite" call, because their pods run in this image. There is no package manager, no Perl
# and no bash in it.
ARG NODE_IMAGE=docker.io/library/node:24.21.0-bookworm-slim
ARG BASE_IMAGE=docker.io/library/debian:bookworm-slim

# --- our programs
FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
# The one script that would run downloads a Node.js, which is here already.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json LICENSE ./
COPY scripts scripts
COPY gen gen
COPY functions functions
COPY src src
# Not with "npm run", which would look for the Node.js that was not downloaded.
RUN node scripts/build.ts

# --- the client's folder, without our program
FROM ${NODE_IMAGE} AS client
RUN apt-get update && apt-get install --yes --no-install-recommends binutils busybox-static
COPY image/client.sh image/launcher /image/
RUN /image/client.sh /opt/backup-maker

# --- the root file system
FROM ${BASE_IMAGE} AS root
ARG PACKAGES="base-files coreutils dash findutils grep gzip libstdc++6 sed sqlite3 tar"
RUN apt-get update && apt-get install --yes --no-install-recommends ${PACKAGES}
COPY image/root.sh /image/
RUN /image/root.sh /image/root ${PACKAGES}

FROM scratch
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
COPY --from=root /image/root /
COPY --from=client /opt/backup-maker /opt/backup-maker
COPY --from=build /src/dist/backup-maker /opt/backup-maker/lib/backup-maker
COPY --from=build /src/dist/backup-repository /usr/local/lib/backup-repository
COPY --from=build /src/dist/expand-backups.cjs /usr/local/lib/expand-backups.cjs
COPY LICENSE /usr/share/doc/backup-maker/copyright
COPY --from=build /src/dist/THIRD-PARTY-LICENSES.txt /src/dist/sbom.cdx.json /usr/share/doc/backup-maker/
USER 65532:65532
ENTRYPOINT ["/opt/backup-maker/lib/node", "/usr/local/lib/expand-backups.cjs"]
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Backup Maker" \
  org.opencontainers.image.description="Application-native backups for Kubernetes: function, client and server" \
  org.opencontainers.image.source="https://github.com/riotkit-org/backup-maker" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
