"""People who sign up and in over HTTP, pages with their cookie, and what the database keeps of it."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import Morsel, SimpleCookie
from typing import Any

import asyncpg
import httpx2

from tests.fresh_database import in_its_own_loop
from tests.http.running import ANON_KEY, Server, bearer

PASSWORD = "secret123"
COOKIE = "insforge_refresh_token"
ADMIN_COOKIE = "insforge_admin_refresh_token"
NOT_A_PAGE = {"client_type": "mobile"}
_numbers = itertools.count(1)


def new_email() -> str:
    """Nobody has it yet."""
    return f"person{next(_numbers)}@shop.example"


def post(server: Server, path: str, **more: Any) -> httpx2.Response:
    return server.client.post(f"/api/auth/{path}", **more)


def sign_up(server: Server, email: str, headers: Mapping[str, str] | None = None, /, **more: Any) -> httpx2.Response:
    body = {"email": email, "password": PASSWORD, **more}
    return post(server, "users", json=body, headers=headers or bearer(ANON_KEY), params=NOT_A_PAGE)


def sign_in(server: Server, email: str, password: str = PASSWORD, **more: Any) -> httpx2.Response:
    return post(server, "sessions", json={"email": email, "password": password}, params=NOT_A_PAGE, **more)


def refresh(server: Server, token: str) -> httpx2.Response:
    return post(server, "refresh", json={"refreshToken": token}, params=NOT_A_PAGE)


def cookie(answer: httpx2.Response, name: str = COOKIE) -> Morsel[str]:
    """The cookie an answer sets."""
    return SimpleCookie(answer.headers["set-cookie"])[name]


@dataclass
class Person:
    """Somebody who is signed in without cookies; `refresh_token` is the newest they got."""

    server: Server
    email: str
    user: dict[str, Any]
    access_token: str
    refresh_token: str

    def refresh(self) -> httpx2.Response:
        """Keeps what came back."""
        answer = refresh(self.server, self.refresh_token)
        if answer.status_code == 200:
            self.refresh_token = answer.json()["refreshToken"]
            self.access_token = answer.json()["accessToken"]
        return answer


def person(server: Server) -> Person:
    email = new_email()
    body = sign_up(server, email).json()
    return Person(server, email, body["user"], body["accessToken"], body["refreshToken"])


def sql(server: Server, statement: str, *arguments: Any) -> list[dict[str, Any]]:
    """As the server's own role."""

    async def ask() -> list[dict[str, Any]]:
        connection = await asyncpg.connect(server.database_url, server_settings={"role": "paygres_service"})
        try:
            return [dict(row) for row in await connection.fetch(statement, *arguments)]
        finally:
            await connection.close()

    return in_its_own_loop(ask())


def refused(answer: httpx2.Response) -> tuple[int, str, str]:
    body = answer.json()
    return answer.status_code, body["error"], body["message"]
