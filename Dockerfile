# The service in a slim image; every step is one that the Makefile also takes.
FROM python:3.12-slim
RUN useradd --create-home --uid 10001 guard && install -d -o guard /data /app
WORKDIR /app
COPY requirements-build.lock requirements.lock ./
RUN pip install --no-cache-dir --no-deps --require-hashes -r requirements-build.lock \
 && pip install --no-cache-dir --no-deps --require-hashes --no-build-isolation -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip install --no-cache-dir --no-deps --no-build-isolation .
USER guard
ENV ONLINE_GUARD_DATA_DIR=/data PYTHONUNBUFFERED=1
VOLUME /data
# It listens on loopback unless ONLINE_GUARD_PLAIN_HTTP says that a proxy in front ends TLS (ONLINE_GUARD_HOST=0.0.0.0).
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
CMD ["online-guard", "serve"]
