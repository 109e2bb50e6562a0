"""Sign-in and the anonymous key as they are answered."""

from typing import Any, NotRequired

from typing_extensions import TypedDict


class User(TypedDict):
    id: str
    email: str
    emailVerified: bool
    createdAt: str
    updatedAt: str
    providers: list[str]
    profile: dict[str, Any] | None
    metadata: dict[str, Any] | None


class HandedOver(TypedDict):
    """Pages get `csrfToken` and a cookie, other clients `refreshToken`."""

    csrfToken: NotRequired[str]
    refreshToken: NotRequired[str]


class SignUpAnswer(HandedOver):
    """`accessToken` is null when an admin made the user."""

    user: User
    accessToken: str | None
    requireEmailVerification: bool


class SignInAnswer(HandedOver):
    user: User
    accessToken: str


class RefreshAnswer(HandedOver):
    accessToken: str
    user: User


class CurrentUserAnswer(TypedDict):
    user: User


class SignOutAnswer(TypedDict):
    success: bool
    message: str


class EndedAnswer(TypedDict):
    ended: int


class PublicConfigAnswer(TypedDict):
    oAuthProviders: list[str]
    customOAuthProviders: list[str]
    requireEmailVerification: bool
    passwordMinLength: int
    requireNumber: bool
    requireLowercase: bool
    requireUppercase: bool
    requireSpecialChar: bool
    verifyEmailMethod: str
    resetPasswordMethod: str
    disableSignup: bool


class Admin(TypedDict):
    sub: str


class AdminSignInAnswer(HandedOver):
    admin: Admin
    accessToken: str


class AdminRefreshAnswer(HandedOver):
    accessToken: str
    admin: Admin


class AdminAnswer(TypedDict):
    admin: Admin


class AnonKeyAnswer(TypedDict):
    anonKey: str


class AnonTokenAnswer(TypedDict):
    accessToken: str
