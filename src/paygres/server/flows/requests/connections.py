"""Bodies about Stripe connections."""

from typing import Annotated

from pydantic import Field

from paygres.server.flows.requests.fields import Body, Length, Trimmed


class ConfigRequest(Body):
    """PUT …/config: the environment's Stripe secret key, written once and never shown again."""

    secret_key: Annotated[Trimmed, Length(1, short="Stripe secret key is required")] = Field(repr=False)
