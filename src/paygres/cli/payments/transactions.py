"""`transactions`: payments, refunds and failures, all of them or one subject's."""

from typing import Any

from paygres.cli.call import Call, Command, Noun
from paygres.cli.money import amount
from paygres.cli.payments.subjects import subject, subject_options, subject_query


def list_transactions(call: Call) -> None:
    body = call.backend.call("GET", call.path("transactions"), query=subject_query(call))
    if call.screen.json:
        call.screen.answer(body)
    elif body["transactions"]:
        call.screen.rows(
            ("Type", "Status", "Subject", "Amount", "Refunded", "Customer", "Provider Object", "When"),
            [_row(call, one) for one in body["transactions"]],
        )
    else:
        call.screen.say("No stripe transactions found.")


def _row(call: Call, one: dict[str, Any]) -> tuple[object, ...]:
    reference = one["providerReferenceId"]
    return (
        one["type"],
        one["status"],
        subject(one["subjectType"], one["subjectId"]),
        amount(one["amount"], one["currency"]),
        amount(one["amountRefunded"], one["currency"]),
        one["providerCustomerId"],
        f"{one['providerReferenceType']}:{reference}" if reference else None,
        call.when(_when(one)),
    )


def _when(one: dict[str, Any]) -> str | None:
    """The time that matters for what became of it."""
    if one["type"] == "refund" or one["status"] in ("refunded", "partially_refunded"):
        names = ("refundedAt", "paidAt")
    elif one["status"] == "failed":
        names = ("failedAt",)
    else:
        names = ("paidAt",)
    return next((one[name] for name in (*names, "providerCreatedAt", "createdAt") if one[name]), None)


NOUN = Noun({"list": Command("Payments, refunds and failures", list_transactions, subject_options)}, bare="list")
