"""Bodies about signing up, in and out; unknown keys are ignored as the reference does."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from paygres.server.auth.passwords import MOST_BYTES
from paygres.server.flows.requests import fields
from paygres.server.flows.requests.fields import Body, Length, NotNull, Trimmed, url, wrong


def _password(text: str) -> str:
    """Never shown back, whatever is wrong with it."""
    if not text:
        raise wrong("Password is required")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise wrong("Password is not valid Unicode") from None
    if size > MOST_BYTES:
        raise wrong(f"Password must be at most {MOST_BYTES} bytes long")
    return text


def _one_time_code(value: object) -> object:
    if value == "otp":
        raise PydanticCustomError(
            "type", "{text}", {"text": "One-time codes are not sent by this server; sign in with a password"}
        )
    return value


# The format comes before trimming (contract 1.3.5), so spaces around it are refused.
Email = Annotated[str, Length(1, 320), AfterValidator(fields.email), AfterValidator(str.lower)]
Password = Annotated[str, AfterValidator(_password)]


class AdminSignInRequest(Body):
    """POST /api/auth/admin/sessions."""

    model_config = ConfigDict(extra="ignore")

    username: Annotated[str, Length(1, 320)]
    password: Annotated[str, Length(1, 1024)] = Field(repr=False)


class SignUpRequest(Body):
    """POST /api/auth/users. `redirectTo` belongs to verification by e-mail, which there is none of here;
    `autoConfirm` counts for admins."""

    model_config = ConfigDict(extra="ignore")

    email: Email
    password: Password = Field(repr=False)
    name: Annotated[Annotated[Trimmed, Length(1, 100)] | None, NotNull("string")] = None
    redirect_to: Annotated[Annotated[str, url("Invalid url")] | None, NotNull("string")] = None
    auto_confirm: Annotated[bool | None, NotNull("boolean")] = None


class SignInRequest(Body):
    """POST /api/auth/sessions."""

    model_config = ConfigDict(extra="ignore")

    method: Annotated[Literal["password"], BeforeValidator(_one_time_code)] = "password"
    email: Email
    password: Password = Field(repr=False)


class RefreshRequest(Body):
    """POST /api/auth/refresh and logout of clients that are no pages. The token has two spellings."""

    model_config = ConfigDict(extra="ignore")

    refresh_token: Annotated[str | None, NotNull("string")] = Field(default=None, repr=False)
    older_spelling: Annotated[str | None, NotNull("string")] = Field(default=None, alias="refresh_token", repr=False)

    @property
    def token(self) -> str | None:
        """Whichever was sent."""
        return self.refresh_token or self.older_spelling


class ClientType(Body):
    """Query of the routes that answer a refresh token: `mobile`, `desktop` and `server` get it in the body, every other
    client as a cookie."""

    client_type: str | None = Field(default=None, alias="client_type")
