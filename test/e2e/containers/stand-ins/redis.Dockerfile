FROM docker.io/library/debian:bookworm-slim
RUN apt-get update && apt-get install --yes --no-install-recommends redis-server redis-tools && rm -rf /var/lib/apt/lists/*
LABEL stand-in="Redis 7.0 of Debian 12, whatever the tag"
