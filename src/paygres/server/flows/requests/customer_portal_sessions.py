"""Bodies about customer portal sessions (contract 1.5.2)."""

from typing import Annotated

from paygres.server.flows.requests.fields import Body, Length, NotNull, Subject, Trimmed, url

ReturnUrl = Annotated[Trimmed, url("Return URL must be a valid URL")]
Configuration = Annotated[Trimmed, Length(1, 255)]


class CustomerPortalRequest(Body):
    """POST …/customer-portal-sessions (contract 1.5.2)."""

    subject: Subject
    return_url: Annotated[ReturnUrl | None, NotNull("string")] = None
    configuration: Annotated[Configuration | None, NotNull("string")] = None
