# One image for the web and the worker: `docker build -t serviceman .`
FROM python:3.12-slim AS build
RUN pip install --no-cache-dir uv
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
WORKDIR /app
COPY pyproject.toml uv.lock .python-version ./
RUN uv sync --locked --no-dev
COPY core core
COPY marketplace marketplace
COPY templates templates
COPY manage.py ./
# Static files do not depend on secrets; the settings only want to see some.
RUN secret() { head -c 48 /dev/urandom | base64 -w 0; } \
    && SECRET_KEY="$(secret)" JWT_SIGNING_KEY="$(secret)" .venv/bin/python manage.py collectstatic --noinput

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin serviceman \
    && install -d -o serviceman /app /app/media /app/var
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER serviceman
EXPOSE 8000
# The worker is the same image with another command: python manage.py qcluster
# gunicorn reads WEB_CONCURRENCY for the number of processes; each has threads, for waiting on PostgreSQL and Paystack.
CMD ["gunicorn", "core.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--threads", "4", \
     "--worker-tmp-dir", "/dev/shm", "--no-control-socket", "--max-requests", "10000", "--max-requests-jitter", "1000", \
     "--access-logfile", "-"]
