"""Bodies about signing in."""

from typing import Annotated

from pydantic import ConfigDict, Field

from paygres.server.flows.requests.fields import Body, Length


class AdminSignInRequest(Body):
    """POST /api/auth/admin/sessions; unknown keys are ignored as the reference does."""

    model_config = ConfigDict(extra="ignore")

    username: Annotated[str, Length(1, 320)]
    password: Annotated[str, Length(1, 1024)] = Field(repr=False)
