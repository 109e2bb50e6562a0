"""Bodies about Stripe connections."""

from typing import Annotated

from pydantic import Field

from paygres.server.flows.requests.fields import Body, Length, Trimmed


class ConfigRequest(Body):
    """PUT …/config: the environment's Stripe secret key, written once and never shown again."""

    secret_key: Annotated[Trimmed, Length(1, short="Stripe secret key is required")] = Field(repr=False)


class RotateRequest(Body):
    """POST …/webhook/rotate: `skipProbe` is for a server that cannot reach its own public address."""

    skip_probe: bool = False


class SecretRequest(Body):
    """POST /api/secrets: the name of a webhook signing secret and its value, written once and never shown again."""

    key: Annotated[Trimmed, Length(1, 255)]
    value: Annotated[Trimmed, Length(1, 1000)] = Field(repr=False)
