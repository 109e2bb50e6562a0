"""The two worlds of a Stripe account."""

from typing import Literal

Environment = Literal["test", "live"]
