"""Sign a user in with e-mail and password. Whether the account exists shows neither in the answer nor in its time."""

from paygres.server.errors import Authentication
from paygres.server.flows.begin_sign_in import SignedIn, begin_user
from paygres.server.flows.limit_sign_ins import forgive_sign_ins, limit_sign_in
from paygres.server.flows.parts import Parts
from paygres.server.flows.requests.sign_in import SignInRequest
from paygres.server.tables import users


async def sign_in(parts: Parts, wanted: SignInRequest, network: str) -> SignedIn:
    """Raises Authentication for a wrong pair, RateLimit, and Unavailable when too many sign in at once."""
    await limit_sign_in(parts, wanted.email, network)
    user = await users.select_by_email(parts.db, wanted.email)
    verdict = await parts.passwords.check(wanted.password, None if user is None else user.password)
    if user is None or user.password is None or not verdict.right:
        # The contract's code, although the SDK reads it as "refresh and try again": it does not do so here.
        raise Authentication("Invalid credentials", code="AUTH_UNAUTHORIZED")
    if verdict.better is not None:
        await users.replace_hash(parts.db, user.id, user.password, verdict.better)
    await forgive_sign_ins(parts, wanted.email, network)
    return await begin_user(parts, user)
