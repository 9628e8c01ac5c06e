# Like the stock image: no shell and nothing else that a script could call.
FROM scratch
COPY root /
LABEL stand-in="etcd as test/e2e/install-databases.sh builds it, whatever the tag"
ENV PATH=/usr/local/bin
