# Kiungo: the engine and its flows process in one image. Build: docker build -t kiungo .
#
# Node to the patch, the one of package.json (a test compares them); Debian, because the engine asks for /bin/sh: a waiting shell sees to it
# that no flow outlives the engine. For builds that must be the same to the byte, add the digest of your registry: node:…@sha256:…
ARG NODE=node:24.21.0-bookworm-slim

FROM ${NODE} AS packages
WORKDIR /opt/kiungo
COPY package.json package-lock.json ./
# At the versions of the lock file (npm ci would want binaries of all systems in it). No install script runs: none is needed, and that of the
# package `node` would bring a second Node.
RUN npm install --omit=dev --no-save --ignore-scripts --no-audit --no-fund

FROM ${NODE}
ENV NODE_ENV=production \
    KIUNGO_BIND=0.0.0.0 \
    KIUNGO_DATA=/var/lib/kiungo
# All in here belongs to root: the engine cannot change its own code, and writes nowhere but to its data folder. A folder of the host that
# is mounted there must belong to uid 1000.
WORKDIR /opt/kiungo
COPY --from=packages /opt/kiungo/node_modules ./node_modules
COPY package.json LICENSE ./
COPY engine ./engine
COPY adapters ./adapters
COPY flows ./flows
COPY mappings ./mappings
COPY fhir-profiles ./fhir-profiles
# The definitions are compiled into the image, so that the first start is as fast as the second. The data folder belongs to the user that the
# engine runs as; a folder of the host that is mounted there must belong to uid 1000 too.
RUN node engine/search/definitions/prepare.ts && node engine/fhir/shapes/prepare.ts \
 && install -d -o node -g node -m 0700 /var/lib/kiungo
USER node
VOLUME /var/lib/kiungo
EXPOSE 8080 2575
# The first start of all waits up to 20 s for the flows.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.KIUNGO_HTTP_PORT || 8080}/health/ready`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Without a shell in between: SIGTERM reaches the engine, which stops in order within 25 s. Give it 30.
STOPSIGNAL SIGTERM
# A small young generation: many connections at once would let it grow to 130 MB.
CMD ["node", "--max-semi-space-size=16", "engine/app/main.ts"]
