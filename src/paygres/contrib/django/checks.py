"""What `manage.py check` says about settings.PAYGRES."""

import os
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from paygres.client.errors import ValidationError
from paygres.client.options import address, not_an_api_key
from paygres.contrib.django.options import NAMES, option

SHORTEST_SECRET = 32
DEVELOPMENT = "A development server must not take real money."


@register("paygres")
def settings_are_sound(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Errors for what cannot work or is dangerous, warnings for what is probably not meant."""
    found: list[CheckMessage] = []
    given: Any = getattr(settings, "PAYGRES", None)
    if not isinstance(given, dict):
        return [Error("PAYGRES is missing from the settings.", hint='PAYGRES = {"BASE_URL": …}', id="paygres.E001")]
    unknown = sorted(str(name) for name in set(given) - NAMES)
    if unknown:
        hint = f"Known are {', '.join(sorted(NAMES))}."
        found.append(Error(f"PAYGRES has unknown names: {', '.join(unknown)}.", hint=hint, id="paygres.E002"))
    for check, name, ident in ((address, "BASE_URL", "E003"), (_key, "ANON_KEY", "E004")):
        try:
            check(option(name))
        except ValidationError as error:
            found.append(Error(f'PAYGRES["{name}"]: {error.message}', id=f"paygres.{ident}"))
    environment = option("ENVIRONMENT")
    if environment not in (None, "test", "live"):
        found.append(Error('PAYGRES["ENVIRONMENT"] must be "test" or "live".', id="paygres.E005"))
    if settings.DEBUG and environment == "live":
        found.append(Error('PAYGRES["ENVIRONMENT"] is "live" with DEBUG = True.', hint=DEVELOPMENT, id="paygres.E006"))
    if settings.DEBUG and os.environ.get("STRIPE_LIVE_SECRET_KEY"):
        hint = f"{DEVELOPMENT} Stripe's keys belong to the Paygres server alone."
        text = "A live Stripe key is in the environment with DEBUG = True."
        found.append(Warning(text, hint=hint, id="paygres.W001"))
    return found + _secrets()


def _key(value: Any) -> None:
    not_an_api_key("ANON_KEY", value)


def _secrets() -> list[CheckMessage]:
    secret = option("JWT_SECRET")
    if not secret:
        hint = "Set it to the server's JWT_SECRET; without it only guests can pay."
        return [Warning('PAYGRES["JWT_SECRET"] is missing.', hint=hint, id="paygres.W002")]
    found: list[CheckMessage] = []
    if len(str(secret)) < SHORTEST_SECRET:
        found.append(Error(f'PAYGRES["JWT_SECRET"] is shorter than {SHORTEST_SECRET} characters.', id="paygres.E007"))
    if secret == settings.SECRET_KEY:
        hint = "Whoever learns one of them would have both."
        found.append(Warning('PAYGRES["JWT_SECRET"] is the SECRET_KEY.', hint=hint, id="paygres.W003"))
    return found
