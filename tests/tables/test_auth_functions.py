"""auth.uid(), auth.jwt(), auth.role() and auth.email() answer null where others raise: policies depend on it."""

import asyncpg
import pytest

FOUR = "select auth.uid()::text, auth.jwt()::text, auth.role(), auth.email()"
USER = "11111111-1111-4111-8111-111111111111"


async def told(connection: asyncpg.Connection, claims: str | None) -> tuple[str | None, ...]:
    if claims is not None:
        await connection.execute("select set_config('request.jwt.claims', $1, true)", claims)
    await connection.execute("set local role authenticated")
    return tuple(await connection.fetchrow(FOUR))


async def test_absent_claims_are_null(transaction: asyncpg.Connection) -> None:
    assert await told(transaction, None) == (None, None, None, None)


async def test_empty_claims_are_null(transaction: asyncpg.Connection) -> None:
    assert await told(transaction, "") == (None, None, None, None)


async def test_claims_of_a_user_are_told(transaction: asyncpg.Connection) -> None:
    claims = f'{{"sub": "{USER}", "role": "authenticated", "email": "ada@example.com"}}'
    assert await told(transaction, claims) == (USER, claims_text(claims), "authenticated", "ada@example.com")


@pytest.mark.parametrize(
    "sub",
    [
        '"user_29w83sxmDNGwOuEthce5gg56FcC"',
        '""',
        "17",
        "null",
        "{}",
        '["a"]',
        '"google-oauth2|1234"',
        f'"{USER}0"',
        f'" {USER}"',
        '"ÄÖÜ\\n"',
        f'"{USER[:-1]}g"',
    ],
)
async def test_a_sub_that_is_no_uuid_makes_uid_null(transaction: asyncpg.Connection, sub: str) -> None:
    found = await told(transaction, f'{{"sub": {sub}}}')
    assert (found[0], found[2], found[3]) == (None, None, None)


@pytest.mark.parametrize("claims", ["{}", "[]", '"text"', "7", "null"])
async def test_claims_without_a_sub_make_everything_null(transaction: asyncpg.Connection, claims: str) -> None:
    uid, _, role, email = await told(transaction, claims)
    assert (uid, role, email) == (None, None, None)


def claims_text(claims: str) -> str:
    """jsonb orders keys by length, then by letters."""
    parts = dict(part.split(": ") for part in claims.strip("{}").split(", "))
    return "{" + ", ".join(f"{k}: {parts[k]}" for k in sorted(parts, key=lambda k: (len(k), k))) + "}"
