"""Settings of the example; all that is secret comes from the environment."""

import os
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "an example's key, used by nobody else, fifty characters long")
DEBUG = os.environ.get("DJANGO_DEBUG") == "1"
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
ROOT_URLCONF = "shop.urls"
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "paygres.contrib.django",
    "shop",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "paygres.contrib.django.PaymentsMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [HERE / "templates"]}]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ.get("SHOP_DATABASE", HERE / "shop.sqlite3")}
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_REDIRECT_URL = "/"
PAYGRES = {
    "BASE_URL": os.environ.get("INSFORGE_URL"),
    "ANON_KEY": os.environ.get("INSFORGE_ANON_KEY"),
    "JWT_SECRET": os.environ.get("JWT_SECRET"),
    "WEBHOOK_SECRET": os.environ.get("WEBHOOK_SECRET"),
    "ENVIRONMENT": "test",
}
PRICE_ID = os.environ.get("PRICE_ID", "")
