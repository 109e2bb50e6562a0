"""Whose customer is whose, and what needs somebody's attention."""

from typing import Any

from paygres.client.admin.desk import Desk, Pages
from paygres.client.admin.operating_shapes import (
    AttentionAnswer,
    CustomerMapping,
    DismissedAnswer,
    MappingAnswer,
    MappingName,
    MappingsAnswer,
    Notice,
)
from paygres.client.calls import extension, segment
from paygres.client.shapes import Environment


class Mappings:
    """`admin.mappings`: which Stripe customer a subject pays as."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def list(self, environment: Environment, **filters: Any) -> Pages[CustomerMapping]:
        """All that fit. Filters: `subject_type` with `subject_id`, `customer_id`, `limit` (the size of a page)."""
        return self._desk.listed(environment, "mappings", MappingsAnswer, "mappings", filters)

    def set(
        self, environment: Environment, *, subject_type: str, subject_id: str, customer_id: str, note: str | None = None
    ) -> MappingName:
        """From now on the subject pays as this customer, whatever payments said."""
        subject = {"type": subject_type, "id": subject_id}
        body = {"subject": subject, "customer_id": customer_id, "note": note}
        return self._desk.send("PUT", f"{extension(environment)}/mappings", MappingAnswer, body=body).mapping

    def delete(self, environment: Environment, *, subject_type: str, subject_id: str) -> MappingName:
        """Take back what an operator said; what payments prove counts again."""
        query = {"subject_type": subject_type, "subject_id": subject_id}
        return self._desk.send("DELETE", f"{extension(environment)}/mappings", MappingAnswer, query=query).mapping


class Attention:
    """`admin.attention`: what the server cannot decide by itself."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def list(self, environment: Environment, **filters: Any) -> Pages[Notice]:
        """All that fit. Filters: `open` (True, False), `reason`, `limit` (the size of a page)."""
        return self._desk.listed(environment, "attention", AttentionAnswer, "attention", filters)

    def dismiss(self, environment: Environment, id: str) -> DismissedAnswer:
        """Close a notice."""
        path = f"{extension(environment)}/attention/{segment('id', id)}/dismiss"
        return self._desk.send("POST", path, DismissedAnswer, again=True)
