"""`manage.py paygres doctor`: whether this project and its Paygres server fit together."""

from argparse import ArgumentParser
from typing import Any

import httpx2
from django.core.checks import ERROR, CheckMessage
from django.core.management.base import BaseCommand, CommandError

from paygres.client.errors import PaygresError
from paygres.client.options import address
from paygres.contrib.django.checks import settings_are_sound
from paygres.contrib.django.options import client, option

PATIENCE = 5.0


class Command(BaseCommand):
    """Prints one line for each thing that was looked at; ends with an error when something is wrong."""

    help = "Looks whether this project's settings and its Paygres server fit together."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["doctor"])

    def handle(self, *args: Any, **options: Any) -> None:
        said: list[CheckMessage] = settings_are_sound(None)
        problems = [one.msg for one in said if one.level >= ERROR]
        for one in said:
            self._line(one.level < ERROR, f"{one.msg} {one.hint or ''}".strip())
        if not problems:
            problems = [text for right, text in (self._server(), self._secret()) if not self._line(right, text)]
        if problems:
            raise CommandError(f"{len(problems)} problem(s) found")

    def _line(self, right: bool, text: str) -> bool:
        self.stdout.write(f"{'ok  ' if right else 'FAIL'}  {text}")
        return right

    def _server(self) -> tuple[bool, str]:
        url = address(option("BASE_URL"))
        try:
            answer = httpx2.get(f"{url}/api/health", timeout=PATIENCE)
            return answer.is_success, f"the server at {url} answers {answer.status_code}"
        except httpx2.TransportError as error:
            return False, f"the server at {url} cannot be reached: {error or type(error).__name__}"

    def _secret(self) -> tuple[bool, str]:
        """Asks for something that needs nothing but a user whom the server believes."""
        if not option("JWT_SECRET"):
            return True, "no JWT_SECRET: only guests can pay"
        stripe = client().as_user("doctor", jwt_secret=option("JWT_SECRET")).payments.stripe
        try:
            stripe.get_subject(option("ENVIRONMENT") or "test", subject={"type": "user", "id": "doctor"})
        except PaygresError as error:
            if error.status_code in (0, 401, 408):
                return False, f"the server does not take tokens made with this JWT_SECRET: {error.message}"
        return True, "the server takes tokens made with this JWT_SECRET"
