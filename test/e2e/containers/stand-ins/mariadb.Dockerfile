FROM docker.io/library/debian:bookworm-slim
RUN apt-get update && apt-get install --yes --no-install-recommends mariadb-server mariadb-client && \
  rm -rf /var/lib/apt/lists/* /var/lib/mysql/*
LABEL stand-in="MariaDB 10.11 of Debian 12, whatever the tag"
