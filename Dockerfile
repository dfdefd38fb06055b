# One image for every role of the Procfile; the role is the command.
FROM python:3.13-slim AS packages
WORKDIR /app
COPY requirements.txt constraints.txt ./
RUN python -m venv /venv \
 && /venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check -r requirements.txt

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    METRICS_PORT=9400
RUN useradd --uid 10001 --no-create-home --home-dir /app --shell /usr/sbin/nologin mailtrigger
WORKDIR /app
COPY --from=packages /venv /venv
COPY flowerconfig.py LICENSE ./
COPY config config
COPY tasks tasks
COPY watcher watcher
COPY console console
USER mailtrigger
# Workers finish the mails in hand and put the rest back; give them LEASE_SECONDS for it.
STOPSIGNAL SIGTERM
# For watcher and worker, while METRICS_PORT is 9400; the other roles have none or their own.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9400/healthz', timeout=5)"]
CMD ["python", "-m", "celery", "-A", "tasks", "worker", "--without-gossip", "--without-mingle"]
