"""What becomes of an order when its payment is granted or taken back, in the transaction that remembers the message."""

from typing import Any

from django.dispatch import receiver

from paygres import FulfillmentMessage
from paygres.contrib.django.signals import fulfillment_granted, fulfillment_reversed
from shop.models import Order


@receiver(fulfillment_granted)
def mark_paid(message: FulfillmentMessage, **_: Any) -> None:
    Order.objects.filter(id=message.fulfillment.key, status="pending").update(status="paid")


@receiver(fulfillment_reversed)
def mark_refunded(message: FulfillmentMessage, **_: Any) -> None:
    if message.fulfillment.amount_kept == 0:
        Order.objects.filter(id=message.fulfillment.key).update(status="refunded")
