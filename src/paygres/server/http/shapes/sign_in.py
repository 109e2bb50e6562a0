"""Sign-in and access keys as they are answered."""

from typing_extensions import TypedDict


class Admin(TypedDict):
    sub: str


class AdminSignInAnswer(TypedDict):
    """`csrfToken` belongs to a refresh cookie, which this version does not set: null."""

    admin: Admin
    accessToken: str
    csrfToken: str | None


class AdminAnswer(TypedDict):
    admin: Admin


class AnonKeyAnswer(TypedDict):
    anonKey: str


class AnonTokenAnswer(TypedDict):
    accessToken: str
