# Kiungo: the engine and its flows process in one image. Build: docker build -t kiungo .
FROM node:24-bookworm-slim AS packages
WORKDIR /opt/kiungo
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund && npm cache clean --force

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    KIUNGO_BIND=0.0.0.0 \
    KIUNGO_DATA=/var/lib/kiungo
WORKDIR /opt/kiungo
COPY --from=packages /opt/kiungo/node_modules ./node_modules
COPY package.json package-lock.json ./
COPY engine ./engine
COPY adapters ./adapters
COPY flows ./flows
COPY mappings ./mappings
COPY fhir-profiles ./fhir-profiles
# The definitions are compiled into the image, so that the first start is as fast as the second.
RUN node engine/search/definitions/prepare.ts && node engine/fhir/shapes/prepare.ts \
 && install -d -o node -g node -m 0700 /var/lib/kiungo
USER node
VOLUME /var/lib/kiungo
EXPOSE 8080 2575
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/health/ready').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "engine/app/main.ts"]
