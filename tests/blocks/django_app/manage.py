"""A shop on django-oscar, whose migrations are planned and applied by the tests."""

import os

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oscar_shop.settings")
    execute_from_command_line()
