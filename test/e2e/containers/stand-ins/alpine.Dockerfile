# musl and BusyBox, and no other C library. /usr/bin/musl-program is linked to musl dynamically, as programs of Alpine are.
FROM docker.io/library/debian:bookworm-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends busybox-static gcc musl-tools
RUN mkdir -p /root-fs/bin /root-fs/sbin /root-fs/lib /root-fs/etc /root-fs/usr/bin /root-fs/usr/sbin /root-fs/tmp && \
  cp /bin/busybox /root-fs/bin/ && cp -L /lib/ld-musl-*.so.1 /root-fs/lib/ && \
  for applet in $(busybox --list); do [ "$applet" = busybox ] || ln -s busybox "/root-fs/bin/$applet"; done && \
  chmod 1777 /root-fs/tmp && echo 'NAME="Alpine Linux stand-in"' > /root-fs/etc/os-release
RUN printf '%s\n' '#include <stdio.h>' '#include <stdlib.h>' \
  'int main(void) { puts("musl"); return getenv("LD_LIBRARY_PATH") != NULL; }' > /program.c && \
  musl-gcc -o /root-fs/usr/bin/musl-program /program.c && ! grep -q GLIBC /root-fs/usr/bin/musl-program
FROM scratch
COPY --from=build /root-fs /
LABEL stand-in="musl and BusyBox of Debian 12"
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["/bin/sh"]
