# The program of that name in the original's images, as far as its templates call it: see its flags in the original's own help. It
# calls the same tools with the same options.
FROM docker.io/library/postgres:15
COPY pgbr.sh /usr/local/bin/pgbr
RUN chmod 755 /usr/local/bin/pgbr
LABEL stand-in="pgbr as a script of ours, with PostgreSQL 15 of Debian 12, whatever the tag"
