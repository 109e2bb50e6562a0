"""Disputes: opened within the payment by the cards made for it, answered with evidence, won or lost as the evidence
asks for it (as in Stripe's test mode), with the money going out and coming back."""

from dataclasses import dataclass
from typing import Any

from paygres.sandbox import ids
from paygres.sandbox.objects import balance_transactions, bank_debits, fields, payment_methods
from paygres.sandbox.objects.cards import Card
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work

DAY = 24 * 3600
DAYS_TO_ANSWER = 8
CLOSED = ("won", "lost", "warning_closed", "prevented")
WAITING = ("needs_response", "warning_needs_response")
UNDER_REVIEW = {"needs_response": "under_review", "warning_needs_response": "warning_under_review"}


@dataclass(frozen=True, slots=True)
class Sort:
    """How a bank disputes: `network_reason` is the card network's code for it."""

    reason: str
    network_reason: str
    is_inquiry: bool = False


# By the word in cards.py.
SORTS = {
    "fraudulent": Sort("fraudulent", "10.4"),
    "product_not_received": Sort("product_not_received", "13.1"),
    "inquiry": Sort("fraudulent", "10", is_inquiry=True),
}

RETURNED = Sort("debit_not_authorized", "")


def open_if_its_card_does(work: Work, charge: Object) -> None:
    """Right after `charge.succeeded`: Stripe opens the dispute before the payment intent is told to have succeeded."""
    payment_method = work.get(charge["payment_method"])
    if payment_method is None or payment_method["type"] != "card":
        return
    card = payment_methods.card_behind(work, payment_method)
    sort = card.disputed or ("fraudulent" if work.world.switches.disputes(work.account) else None)
    if sort is not None:
        make(work, charge, SORTS[sort], card)


def open_if_its_bank_does(work: Work, id: str) -> None:
    """Some accounts take a debit back once it is paid: the dispute is lost from the beginning, for a bank's customer
    needs no reason."""
    charge = work.find("charge", id, "charge")
    payment_method = work.get(charge["payment_method"])
    if payment_method is None or not bank_debits.debit_behind(work, payment_method).disputed:
        return
    dispute = make(work, charge, RETURNED, None)
    work.change(dispute, status="lost")
    work.emit("charge.dispute.closed", dispute, automatic=True)


def make(work: Work, charge: Object, sort: Sort, card: Card | None) -> Object:
    """`card`: None for a bank account, about which Stripe's disputes tell nothing."""
    id = ids.new("dispute")
    dispute = work.add(
        {
            "id": id,
            "object": "dispute",
            "amount": charge["amount"] - charge["amount_refunded"],
            "balance_transactions": [],
            "charge": charge["id"],
            "created": work.now,
            "currency": charge["currency"],
            "enhanced_eligibility_types": [],
            "evidence": {"enhanced_evidence": {}},
            "evidence_details": {
                "due_by": due_by(work.now),
                "enhanced_eligibility": {},
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
            },
            "is_charge_refundable": sort.is_inquiry,
            "livemode": False,
            "metadata": {},
            "payment_intent": charge["payment_intent"],
            **({"payment_method_details": _card_details(sort, card)} if card else {}),
            "reason": sort.reason,
            "status": "warning_needs_response" if sort.is_inquiry else "needs_response",
        }
    )
    work.change(charge, disputed=True)
    if not sort.is_inquiry:
        _withdraw(work, dispute)
    work.emit("charge.dispute.created", dispute)
    if not sort.is_inquiry:
        work.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def _card_details(sort: Sort, card: Card) -> Object:
    case = "inquiry" if sort.is_inquiry else "chargeback"
    shown = {"brand": card.brand, "case_type": case, "network_reason_code": sort.network_reason}
    return {"card": shown, "type": "card"}


def due_by(created: int) -> int:
    """The end of the day until which the merchant may answer."""
    return (created // DAY + DAYS_TO_ANSWER + 1) * DAY - 1


def blocks_refunds(work: Work, charge: Object) -> bool:
    """Whether the bank has taken the money back already."""
    page = list_all(work, {"charge": charge["id"]}) if charge["disputed"] else None
    return page is not None and any(not one["is_charge_refundable"] for one in page.as_object()["data"])


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find("dispute", id, "dispute", in_path=True)


def list_all(work: Work, params: Params) -> Page:
    links = {"charge": params.get("charge"), "payment_intent": params.get("payment_intent")}
    return answer_list(work, "dispute", params, "/v1/disputes", links=links)


def update(work: Work, params: Params, id: str) -> Object:
    """Metadata alone moves nothing; evidence goes to the bank unless `submit` is false."""
    dispute = _open(work, id)
    changes: dict[str, Any] = {"metadata": metadata.merged(dispute["metadata"], params.get("metadata"))}
    given: Params = params.get("evidence", {})
    if "enhanced_evidence" in given:
        raise Refusal("The sandbox does not simulate enhanced evidence.", param="evidence[enhanced_evidence]")
    evidence = {**dispute["evidence"], **fields.given(given, given)}
    details = dispute["evidence_details"]
    submitted = params.get("submit", bool(given)) and dispute["status"] in WAITING
    if given or submitted:
        has_evidence = any(value for name, value in evidence.items() if name != "enhanced_evidence")
        count = details["submission_count"] + submitted
        changes["evidence"] = evidence
        changes["evidence_details"] = {**details, "has_evidence": has_evidence, "submission_count": count}
    if submitted:
        changes["status"] = UNDER_REVIEW[dispute["status"]]
    work.update_and_emit(dispute, "charge.dispute.updated", **changes)
    if submitted:
        _tell_of_charge(work, dispute)
        work.later(work.world.settings.settle_after, "decide_dispute", id)
    return dispute


def close(work: Work, params: Params, id: str) -> Object:
    """The merchant accepts that the dispute is lost."""
    dispute = _open(work, id)
    lost = "warning_closed" if _is_inquiry(dispute) else "lost"
    work.change(dispute, status=lost)
    work.emit("charge.dispute.closed", dispute)
    _tell_of_charge(work, dispute)
    return dispute


def decide(work: Work, id: str) -> None:
    """The timer: the bank has looked at the evidence, whose text says how it decides. Any other text stays under
    review."""
    dispute = work.get(id)
    if dispute is None or dispute["status"] not in UNDER_REVIEW.values():
        return
    wish = (dispute["evidence"]["uncategorized_text"] or "").strip()
    is_inquiry = _is_inquiry(dispute)
    if wish == "escalate_inquiry_evidence" and is_inquiry:
        _escalate(work, dispute)
    elif wish == "losing_evidence":
        work.change(dispute, status="warning_closed" if is_inquiry else "lost")
        work.emit("charge.dispute.closed", dispute, automatic=True)
    elif wish == "winning_evidence" and is_inquiry:
        work.change(dispute, status="warning_closed")
        work.emit("charge.dispute.closed", dispute, automatic=True)
    elif wish == "winning_evidence":
        back = balance_transactions.of_dispute(work, dispute, won=True)
        transactions = [*dispute["balance_transactions"], back]
        work.change(dispute, balance_transactions=transactions, is_charge_refundable=True, status="won")
        work.emit("charge.dispute.funds_reinstated", dispute, automatic=True)
        work.emit("charge.dispute.closed", dispute, automatic=True)


def _escalate(work: Work, dispute: Object) -> None:
    """An inquiry that becomes a chargeback: now the money goes."""
    details = dispute["payment_method_details"]
    chargeback = {**details, "card": {**details["card"], "case_type": "chargeback"}}
    previous = work.change(
        dispute, status="needs_response", is_charge_refundable=False, payment_method_details=chargeback
    )
    work.emit("charge.dispute.updated", dispute, previous, automatic=True)
    _withdraw(work, dispute)
    work.emit("charge.dispute.funds_withdrawn", dispute, automatic=True)


def _withdraw(work: Work, dispute: Object) -> None:
    taken = balance_transactions.of_dispute(work, dispute, won=False)
    work.change(dispute, balance_transactions=[*dispute["balance_transactions"], taken])


def _tell_of_charge(work: Work, dispute: Object) -> None:
    """Recorded: the charge is told to be updated, too, though nothing that it shows has changed."""
    charge = work.get(dispute["charge"])
    if charge is not None:
        work.emit("charge.updated", charge, {})


def _open(work: Work, id: str) -> Object:
    dispute = work.find("dispute", id, "dispute", in_path=True)
    if dispute["status"] in CLOSED:
        raise Refusal("This dispute is already closed")
    return dispute


def _is_inquiry(dispute: Object) -> bool:
    card: Object = dispute.get("payment_method_details", {}).get("card", {})
    return card.get("case_type") == "inquiry"


ROUTES: Routes = {
    "GET /v1/disputes/{dispute}": retrieve,
    "POST /v1/disputes/{dispute}": update,
    "GET /v1/disputes": list_all,
    "POST /v1/disputes/{dispute}/close": close,
}
