"""django-oscar as it comes, on DATABASE_URL."""

import os

from oscar import INSTALLED_APPS as INSTALLED_APPS
from oscar.defaults import *  # noqa: F403 - how django-oscar is meant to be configured
from psycopg.conninfo import conninfo_to_dict

PLACE = conninfo_to_dict(os.environ["DATABASE_URL"])
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": PLACE["dbname"],
        "USER": PLACE.get("user", ""),
        "PASSWORD": PLACE.get("password", ""),
        "HOST": PLACE.get("host", ""),
        "PORT": PLACE.get("port", ""),
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
SECRET_KEY = os.environ["SECRET_KEY"]
SITE_ID = 1
USE_TZ = True
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
