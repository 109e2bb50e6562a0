"""How often somebody may try to sign in or up, by network and by account; counted in PostgreSQL, for all processes."""

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

from paygres.server.errors import RateLimit
from paygres.server.flows.parts import Parts
from paygres.server.tables import sign_ins
from paygres.server.tables.sign_ins import Attempts

_MINUTE, _TEN_MINUTES = timedelta(minutes=1), timedelta(minutes=10)
# One guesser is stopped after ten tries; many together after fifty, which an attacker can use to keep somebody out for
# ten minutes, so it is not less.
_OF_ACCOUNT_AND_NETWORK, _OF_ACCOUNT = 10, 50
_SIGN_UPS_OF_NETWORK, _SIGN_UPS_OF_EMAIL = 30, 5


async def limit_sign_in(parts: Parts, email: str, network: str) -> None:
    """Raises RateLimit with the seconds to wait. Counts the attempt before its password is looked at."""
    account = _account(email)
    await _count(
        parts,
        "sign-ins",
        [
            Attempts(f"in {network}", parts.sign_in_rules.per_minute, _MINUTE),
            Attempts(f"in {account}", _OF_ACCOUNT, _TEN_MINUTES),
            Attempts(f"in {account} {network}", _OF_ACCOUNT_AND_NETWORK, _TEN_MINUTES),
        ],
    )


async def forgive_sign_ins(parts: Parts, email: str, network: str) -> None:
    """The password was right: this account's attempts begin anew."""
    if parts.sign_in_rules.limits:
        account = _account(email)
        await sign_ins.forgive(parts.db, [f"in {account}", f"in {account} {network}"])


async def limit_sign_up(parts: Parts, email: str, network: str) -> None:
    """As `limit_sign_in`, for new accounts."""
    await _count(
        parts,
        "sign-ups",
        [
            Attempts(f"up {network}", _SIGN_UPS_OF_NETWORK, _TEN_MINUTES),
            Attempts(f"up {_account(email)}", _SIGN_UPS_OF_EMAIL, _TEN_MINUTES),
        ],
    )


async def _count(parts: Parts, what: str, attempts: Sequence[Attempts]) -> None:
    if not parts.sign_in_rules.limits:
        return
    wait = await sign_ins.count_attempt(parts.db, attempts)
    if wait:
        raise RateLimit(f"Too many {what}; try again in {wait} seconds", retry_after=wait)


def _account(email: str) -> str:
    """Whoever reads the counts learns no address."""
    return sha256(email.encode()).hexdigest()[:32]
