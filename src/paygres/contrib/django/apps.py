"""The Django app `paygres.contrib.django`."""

from django.apps import AppConfig


class PaygresConfig(AppConfig):
    """Registers the system checks."""

    name = "paygres.contrib.django"
    label = "paygres"
    verbose_name = "Paygres"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from paygres.contrib.django import checks  # noqa: F401
