"""Make a user with e-mail and password: by themselves, who are signed in at once, or by an admin."""

from paygres.server.errors import InvalidRequest, PaygresError, PermissionDenied
from paygres.server.flows.begin_sign_in import SignedIn, begin_user
from paygres.server.flows.limit_sign_ins import limit_sign_up
from paygres.server.flows.operator import Operator
from paygres.server.flows.parts import Parts
from paygres.server.flows.requests.sign_in import SignUpRequest
from paygres.server.tables import audit, users
from paygres.server.tables.users import User


async def sign_up(parts: Parts, wanted: SignUpRequest, network: str) -> SignedIn:
    """Raises PermissionDenied (AUTH_SIGNUP_DISABLED), InvalidRequest (the password's length), RateLimit, Unavailable
    (too many at once) and a 409 AUTH_EMAIL_EXISTS."""
    if not parts.sign_in_rules.sign_ups:
        raise PermissionDenied(
            "Sign-up is disabled",
            code="AUTH_SIGNUP_DISABLED",
            next_actions="Ask an admin to create the user, or set PAYGRES_SIGN_UPS=on.",
        )
    _check_password(parts, wanted.password)
    await limit_sign_up(parts, wanted.email, network)
    return await begin_user(parts, await _insert(parts, wanted, verified=False))


async def create_user(parts: Parts, wanted: SignUpRequest, operator: Operator) -> User:
    """As an admin: also where people cannot sign up, without limits, and with `autoConfirm` as a verified e-mail."""
    _check_password(parts, wanted.password)
    user = await _insert(parts, wanted, verified=wanted.auto_confirm is True)
    await audit.record(
        parts.db, actor=operator.actor, action="user.create", target=user.id, request_id=operator.request_id
    )
    return user


async def _insert(parts: Parts, wanted: SignUpRequest, *, verified: bool) -> User:
    # Looked up first, because hashing is dear; two at once are told apart by the unique index.
    user = None
    if not await users.is_known(parts.db, wanted.email):
        hashed = await parts.passwords.hash(wanted.password)
        profile = {} if wanted.name is None else {"name": wanted.name}
        user = await users.insert(parts.db, wanted.email, hashed, profile, verified=verified)
    if user is None:
        raise PaygresError(
            "User already exists",
            status=409,
            code="AUTH_EMAIL_EXISTS",
            next_actions="Sign in with POST /api/auth/sessions, or use another e-mail address.",
        )
    return user


def _check_password(parts: Parts, password: str) -> None:
    least = parts.sign_in_rules.password_least
    if len(password) < least:
        raise InvalidRequest(f"password: Password must be at least {least} characters long")
