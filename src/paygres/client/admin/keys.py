"""Who may call: access keys, tokens, and the log of what operators did."""

from typing import Any, Literal

from paygres.client.admin.desk import Desk, Moment, Pages, span
from paygres.client.admin.keys_shapes import (
    AccessKey,
    AdminAnswer,
    AnonKeyAnswer,
    AnonTokenAnswer,
    AuditAnswer,
    AuditRecord,
    EndedAnswer,
    KeyAnswer,
    KeysAnswer,
    NewKeyAnswer,
    TokenAnswer,
)
from paygres.client.calls import segment

KEYS = "/api/paygres/keys"


class Keys:
    """`admin.keys`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def list(self) -> list[AccessKey]:
        """All keys that are accepted; an API key shows its fingerprint only."""
        return self._desk.send("GET", KEYS, KeysAnswer).keys

    def create(
        self,
        *,
        kind: Literal["api", "anon"] = "api",
        expires_in_hours: int | None = None,
        rotate: bool = False,
        grace_hours: int | None = None,
    ) -> NewKeyAnswer:
        """A new key; the answer has its `value`, this once. `rotate`: the others end after `grace_hours`."""
        body = {"kind": kind, "expires_in_hours": expires_in_hours, "rotate": rotate, "grace_hours": grace_hours}
        return self._desk.send("POST", KEYS, NewKeyAnswer, body=body)

    def delete(self, id: str) -> AccessKey:
        """End a key now."""
        return self._desk.send("DELETE", f"{KEYS}/{segment('id', id)}", KeyAnswer).key

    def anon_key(self) -> str:
        """The public key of guests."""
        return self._desk.send("GET", "/api/metadata/anon-key", AnonKeyAnswer).anon_key

    def anon_token(self) -> str:
        """The same, by the route that older tools ask."""
        return self._desk.send("POST", "/api/auth/tokens/anon", AnonTokenAnswer, again=True).access_token

    def whoami(self) -> str:
        """As whom the server takes this client."""
        return self._desk.send("GET", "/api/auth/admin/sessions/current", AdminAnswer).admin.sub


class Tokens:
    """`admin.tokens`: tokens of users, for tests and support."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def create(
        self,
        *,
        sub: str,
        role: Literal["authenticated", "anon"] = "authenticated",
        email: str | None = None,
        ttl_seconds: int | None = None,
        force: bool = False,
    ) -> TokenAnswer:
        """A token of this user, an hour long unless said, a day at most."""
        body = {"sub": sub, "role": role, "email": email, "ttl_seconds": ttl_seconds, "force": force}
        return self._desk.send("POST", "/api/paygres/tokens", TokenAnswer, body=body)


class Users:
    """`admin.users`: people who sign in here."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def end_sessions(self, id: str) -> int:
        """Sign a user out everywhere; how many sign-ins that ended. Access tokens live on for up to 15 minutes."""
        path = f"/api/paygres/users/{segment('id', id)}/sessions"
        return self._desk.send("DELETE", path, EndedAnswer).ended


class Audit:
    """`admin.audit`: who did what."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def list(self, *, since: Moment | None = None, until: Moment | None = None, **filters: Any) -> Pages[AuditRecord]:
        """All that fit, newest first. Filters: `actor`, `action`, `environment`, `target`, `limit`."""
        return self._desk.paged("/api/paygres/audit", AuditAnswer, "records", {**filters, **span(since, until)})
