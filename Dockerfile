# The worker of docker-compose.yml, and the command for its users: docker compose run --rm worker list
FROM node:22.22.1-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/build.js scripts/
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:22.22.1-bookworm-slim
# For TLS to Temporal, whose client does not look at Node's own certificates.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
# A project below /app finds `ostinato` as it finds any other package, the very one that runs.
RUN ln -s /app node_modules/ostinato && ln -s /app/dist/cli/main.js /usr/local/bin/ostinato && mkdir project
USER node
WORKDIR /app/project
# The worker touches this file every five seconds while it works.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD test -n "$(find /tmp/ostinato-worker -newermt '-30 seconds')"
ENTRYPOINT ["ostinato"]
CMD ["worker", "--health-file", "/tmp/ostinato-worker"]
