# The bot as an image: no build tools, no root, its data in /data.
#
#   docker build -t mosaic-coordinator .
#   docker run --env-file .env -p 8000:8000 -v coordinator:/data mosaic-coordinator

FROM python:3.12-slim AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1

# What changes seldom comes first: the dependencies stay cached while the code changes.
COPY requirements.lock requirements-build.lock ./
RUN python -m venv --without-pip /app \
 && pip --python /app/bin/python install --only-binary :all: --no-deps --require-hashes -r requirements.lock \
 && pip install --only-binary :all: --no-deps --require-hashes -r requirements-build.lock

COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY handlers handlers
COPY templates templates
RUN pip wheel --no-build-isolation --no-deps --wheel-dir dist . \
 && pip --python /app/bin/python install --no-deps dist/*.whl \
 && /app/bin/python -m compileall -q /app/lib


FROM python:3.12-slim
RUN python -m pip uninstall --yes --root-user-action ignore pip \
 && useradd --uid 10001 --user-group --no-create-home --home-dir /data coordinator \
 && install --directory --owner coordinator --group coordinator /data /etc/mosaic-coordinator
COPY --from=build /app /app
COPY bot.toml /etc/mosaic-coordinator/bot.toml

# To change settings, mount a bot.toml over that one, or set MOSAIC_… variables.
ENV PATH=/app/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    BOT_CONFIG=/etc/mosaic-coordinator/bot.toml \
    DATABASE_URL=sqlite:////data/coordinator.db \
    HOST=0.0.0.0 \
    PORT=8000
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000

HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD \
    ["python", "-c", "import os, urllib.request as u; u.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/health\", timeout=4)"]

ENTRYPOINT ["mosaic-coordinator"]
CMD ["serve"]
