# One image for every role of the Procfile; the role is the command.
FROM python:3.13-slim AS packages
WORKDIR /app
COPY requirements.txt constraints.txt ./
RUN python -m venv /venv \
 && /venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check -r requirements.txt

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
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
CMD ["python", "-m", "celery", "-A", "tasks", "worker", "--without-gossip", "--without-mingle"]
