"""Every setting, from the environment (README and .env.example say what each means). Loud on nonsense.

Only DEBUG relaxes anything: with it off, `core.checks` refuses the start on missing or weak secrets.
"""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ
from corsheaders.defaults import default_headers
from django.core.exceptions import ImproperlyConfigured

from core import sentry, storage, unfold

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.read_env(BASE_DIR / ".env")

DEBUG = env.bool("DEBUG", default=False)

# --- Secrets and addresses
DEV_SECRET = "development-only-" + "0" * 48
SECRET_KEY = env.str("SECRET_KEY", default="") or (DEV_SECRET if DEBUG else "")
JWT_SIGNING_KEY = env.str("JWT_SIGNING_KEY", default="") or (DEV_SECRET[::-1] if DEBUG else "")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]", "testserver"] if DEBUG else [])
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
FRONTEND_URL = env.str("FRONTEND_URL", default="").rstrip("/")
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
NUM_PROXIES = env.int("NUM_PROXIES", default=0)
for _name, _url in (("SITE_URL", SITE_URL), ("FRONTEND_URL", FRONTEND_URL)):
    if _url and urlsplit(_url).scheme not in ("http", "https"):
        raise ImproperlyConfigured(f"{_name} must start with http:// or https://, not {_url!r}.")
if NUM_PROXIES < 0:
    raise ImproperlyConfigured("NUM_PROXIES is the number of proxies in front of the web process: 0 or more.")

# --- Applications
INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "core",  # before django.contrib.auth: its createsuperuser is the one to run
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "corsheaders",
    "ninja",
    "ninja_jwt",
    "import_export",
    "simple_history",
    "django_fsm",
    "django_q",
    "marketplace",
]

MIDDLEWARE = [
    "core.head.head_middleware",
    "core.problems.problems_middleware",
    # Django pads what it packs, so that its length does not tell a secret (BREACH).
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]

ROOT_URLCONF = "core.urls"
WSGI_APPLICATION = "core.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "libraries": {"console": "marketplace.admin.tags"},
        },
    },
]

# --- Database
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")}
_database = DATABASES["default"]
if _database["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE: without it nearly every parallel write fails with "database is locked". FULL: this is money.
    _database.setdefault("OPTIONS", {}).update(
        {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
        }
    )
else:
    _database["CONN_MAX_AGE"] = 0 if DEBUG else None
    _database["CONN_HEALTH_CHECKS"] = True
    # Compiling the figures of the home page takes PostgreSQL ten times as long as running them.
    _database["OPTIONS"] = {"options": "-c jit=off", **_database.get("OPTIONS", {})}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Cache, mail, static files
CACHES = {"default": env.cache_url("CACHE_URL", default="locmemcache://")}
if "redis" in CACHES["default"]["BACKEND"].lower():
    # A cache that hangs must not hang us: whoever uses it can do without.
    CACHES["default"].setdefault("OPTIONS", {}).update({"socket_connect_timeout": 0.5, "socket_timeout": 0.5})
_mail = env.email_url("EMAIL_URL", default="consolemail://")
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = _mail["EMAIL_HOST"], _mail["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"], _mail["EMAIL_HOST_PASSWORD"]
EMAIL_FILE_PATH = _mail.get("EMAIL_FILE_PATH")
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.get("EMAIL_USE_TLS", False), _mail.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 15
EMAIL_RETRY_BASE_SECONDS = env.int("EMAIL_RETRY_BASE_SECONDS", default=30)
"""How long a mail that failed waits for its second try; then twice as long, and so on."""
if EMAIL_RETRY_BASE_SECONDS < 1:
    raise ImproperlyConfigured("EMAIL_RETRY_BASE_SECONDS must be 1 or more.")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Serviceman <no-reply@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
FILES_URL = env.str("FILES_URL", default="")
"""Where uploads are kept: empty for MEDIA_ROOT, or s3://bucket?region=..&endpoint=.. with AWS's own variables."""
STORAGES = {
    "default": storage.of(FILES_URL),
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
MEDIA_ROOT = BASE_DIR / "media"
"""Not below any URL: pictures are served by signed links alone."""

# --- Language and time
LANGUAGE_CODE = "en-us"
TIME_ZONE = env.str("TIME_ZONE", default="Africa/Lagos")
USE_TZ = True
USE_I18N = False
USE_THOUSAND_SEPARATOR = True
FORMAT_MODULE_PATH = "core.formats"

# --- Accounts
AUTH_USER_MODEL = "core.User"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "core.auth.MixedPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = int(timedelta(hours=1).total_seconds())
EMAIL_VERIFICATION_TIMEOUT = int(timedelta(days=3).total_seconds())
AUTH_RATE_LIMIT = env.str("AUTH_RATE_LIMIT", default="5/min")
AUTH_ADDRESS_RATE_LIMIT = env.str("AUTH_ADDRESS_RATE_LIMIT", default=AUTH_RATE_LIMIT)
REQUIRE_ADMIN_2FA = env.bool("REQUIRE_ADMIN_2FA", default=not DEBUG)
"""Nothing reads this before there are second factors."""

# Every key is set: ninja-jwt would otherwise read bare environment variables such as SIGNING_KEY.
NINJA_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": False,
    "UPDATE_LAST_LOGIN": False,
    "ALGORITHM": "HS256",
    "SIGNING_KEY": JWT_SIGNING_KEY,
    "VERIFYING_KEY": None,
    "AUDIENCE": None,
    "ISSUER": "serviceman",
    "JWK_URL": None,
    "LEEWAY": 0,
    "USER_ID_FIELD": "id",
    "USER_ID_CLAIM": "user_id",
    "TOKEN_TYPE_CLAIM": "token_type",
    "JTI_CLAIM": "jti",
}

# --- Paystack
PAYSTACK_SECRET_KEY = env.str("PAYSTACK_SECRET_KEY", default="")
PAYSTACK_PUBLIC_KEY = env.str("PAYSTACK_PUBLIC_KEY", default="")
PAYSTACK_BASE_URL = env.str("PAYSTACK_BASE_URL", default="https://api.paystack.co").rstrip("/")
PAYSTACK_SANDBOX = DEBUG and not PAYSTACK_SECRET_KEY
"""A local Paystack under /sandbox/paystack/, only while developing without a key."""
if PAYSTACK_SANDBOX:
    PAYSTACK_SECRET_KEY = "sk_test_sandbox"
    PAYSTACK_PUBLIC_KEY = "pk_test_sandbox"
    if "PAYSTACK_BASE_URL" not in env.ENVIRON:
        PAYSTACK_BASE_URL = f"{SITE_URL}/sandbox/paystack"
PAYSTACK_WEBHOOK_SECRET = env.str("PAYSTACK_WEBHOOK_SECRET", default="") or PAYSTACK_SECRET_KEY
PAYSTACK_TIMEOUT_SECONDS = 10
SANDBOX_STATE = env.str("SANDBOX_STATE", default=str(BASE_DIR / "var" / "paystack-sandbox.sqlite3"))
"""The sandbox's own file: it is another company, and shares no table with us."""

# --- Background work: PostgreSQL (or SQLite) is the broker, so enqueueing commits or rolls back with its step.
Q_CLUSTER = {
    "name": "serviceman",
    "orm": "default",
    "workers": env.int("Q_WORKERS", default=2),
    "timeout": 60,
    "retry": 120,
    "max_attempts": 5,
    "bulk": 20,
    "queue_limit": 100,
    "save_limit": -1,
    "catch_up": False,
    "poll": 0.2,
    "ack_failures": True,
    "label": "Background jobs",
    "has_replica": False,
    "sync": False,
}

# --- History and export
SIMPLE_HISTORY_HISTORY_CHANGE_REASON_USE_TEXT_FIELD = True
SIMPLE_HISTORY_REVERT_DISABLED = True
SIMPLE_HISTORY_ENFORCE_HISTORY_MODEL_PERMISSIONS = True
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "export"
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "import"
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True

# --- Security
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=not DEBUG)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if NUM_PROXIES else None
SECURE_HSTS_SECONDS = 0 if DEBUG else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = not DEBUG
SECURE_HSTS_PRELOAD = not DEBUG
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "core.refusals.stale_form"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
"""Bytes of body the API and the console read (files apart): 413 above."""
CORS_URLS_REGEX = r"^/api/.*$"
CORS_ALLOW_HEADERS = [*default_headers, "idempotency-key", "if-none-match"]
CORS_EXPOSE_HEADERS = ["ETag", "Location", "Retry-After", "Idempotent-Replayed"]
"""What browser apps may send and read besides what the web lets them anyway."""

# --- Errors and logs
SENTRY_DSN = env.str("SENTRY_DSN", default="")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": sentry.LineFormatter, "format": "{asctime} {levelname} {name} {message}", "style": "{"}
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.server": {"level": "WARNING", "propagate": True},
        "ninja": {"level": "WARNING"},
        "django-q": {"level": "INFO", "propagate": True, "handlers": []},
    },
}

if SENTRY_DSN:
    sentry.start(SENTRY_DSN)

UNFOLD = unfold.UNFOLD
