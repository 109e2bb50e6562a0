"""Who is calling: the PostgreSQL role and claims of one request. Pure data."""

from dataclasses import dataclass

import orjson

ROLES = frozenset({"anon", "authenticated", "project_admin"})


@dataclass(frozen=True, slots=True)
class Caller:
    """One authenticated caller of a runtime route.

    `role` is the token's role as presented; only those in `ROLES` may reach the database.
    `sub` is the token's subject (any text, not only a UUID), None for guests.
    `network` is the client's /24 (IPv4) or /64 (IPv6) in CIDR form: the idempotency scope of guests.
    """

    role: str
    sub: str | None = None
    email: str | None = None
    network: str = "0.0.0.0/24"

    @property
    def claims(self) -> str:
        """`request.jwt.claims` for policies: role, `sub` for signed-in users only, e-mail when known."""
        claims: dict[str, str] = {}
        if self.role == "authenticated" and self.sub is not None:
            claims["sub"] = self.sub
        if self.email:
            claims["email"] = self.email
        claims["role"] = self.role
        return orjson.dumps(claims).decode()

    def scope(self, subject: tuple[str, str] | None) -> str:
        """The idempotency scope: the subject when there is one, else the user, else the guest's network."""
        if subject is not None:
            return f"subject:{len(subject[0])}:{subject[0]}:{subject[1]}"
        if self.role == "authenticated":
            return f"user:{self.sub}"
        if self.role == "anon":
            return f"guest:{self.network}"
        return f"role:{self.role}"
