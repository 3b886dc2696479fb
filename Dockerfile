# The image of Portcullis: Node, the libraries that Node is linked with, and the program. There is no shell in it, no
# package manager, nothing that compiles and nothing that tests.
#
#     docker build --tag portcullis .
#
# Configuration is mounted at /etc/portcullis, data is kept in the volume /var/lib/portcullis; see docs/containers.md.

# What it is built with, and where its Node comes from: a Debian image with Node and npm.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS packages
# Where the network puts a CA of its own before the package registry: the file in NODE_IMAGE that holds it.
ARG NODE_EXTRA_CA_CERTS=
ENV NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS}
WORKDIR /build
COPY package.json package-lock.json .npmrc ./

FROM packages AS compiled
RUN npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY scripts/prepare.mjs scripts/bundle.mjs scripts/build-guard.mjs scripts/
COPY envoy/guard envoy/guard
RUN npx --no-install tsc --project tsconfig.build.json \
    --declaration false --sourceMap false --incremental false --tsBuildInfoFile null \
 && node scripts/bundle.mjs && node scripts/build-guard.mjs

FROM packages AS production
# What only compilers, debuggers and the tests of others read stays behind.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error \
 && find node_modules -type d \( -name test -o -name tests -o -name benchmark -o -name examples \) -prune -exec rm -r {} + \
 && find node_modules -type f \( -name '*.map' -o -name '*.[mc]ts' -o -name '*.ts' -o -name '*.[ch]' -o -name '*.cpp' \) -delete

FROM production AS root
COPY docker/root-file-system.sh docker/
RUN sh docker/root-file-system.sh /root-file-system
WORKDIR /root-file-system/opt/portcullis
COPY package.json LICENSE NOTICE ./
COPY bin bin
COPY proto/descriptors.json proto/
COPY docker/entry.js docker/health.js docker/
COPY --from=compiled /build/dist dist
# Whatever the modes were in the folder that this was built from: everybody may read it, and nobody but root write it.
RUN mv /build/node_modules . \
 && chown -R 0:0 . && chmod -R u=rwX,go=rX . && chmod 0755 docker/entry.js

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Portcullis" \
      org.opencontainers.image.description="Just-in-time access for connections that Envoy authenticates with mTLS" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=root /root-file-system /
ENV PATH=/usr/local/bin NODE_ENV=production PORTCULLIS_CONFIG=/etc/portcullis/portcullis.yaml
USER 65532:65532
WORKDIR /etc/portcullis
VOLUME /var/lib/portcullis
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "/opt/portcullis/docker/health.js"]
ENTRYPOINT ["portcullis"]
CMD ["serve"]
