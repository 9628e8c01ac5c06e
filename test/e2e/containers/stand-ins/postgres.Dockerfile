# Server and client tools, on the PATH as in the stock image and not behind Debian's wrappers.
FROM docker.io/library/debian:bookworm-slim
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql-15 && rm -rf /var/lib/apt/lists/*
LABEL stand-in="PostgreSQL 15 of Debian 12, whatever the tag"
ENV PATH=/usr/lib/postgresql/15/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
