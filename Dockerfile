# dbproof with a PostgreSQL of its own: `docker run --rm -v "$PWD:/repo" -w /repo dbproof run`
FROM python:3.13-slim-trixie
RUN apt-get update \
 && apt-get install -y --no-install-recommends git postgresql-17 postgresql-17-pgvector \
 && rm -rf /var/lib/apt/lists/* /var/lib/postgresql/17
COPY . /opt/dbproof
RUN pip install --no-cache-dir /opt/dbproof uv && rm -rf /opt/dbproof
# The initialised cluster, so that a run only copies it. It holds no secret, and any user may read it.
ENV DBPROOF_CACHE=/var/cache/dbproof
RUN mkdir -m 1777 "$DBPROOF_CACHE" && cd /tmp && mkdir migrations && echo 'SELECT 1;' > migrations/1_start.sql \
 && (dbproof run --quiet --report-dir /tmp/report || test $? -eq 3 || test $? -eq 0) \
 && rm -rf /tmp/migrations /tmp/report && chmod -R a+rX "$DBPROOF_CACHE"
ENTRYPOINT ["dbproof"]
