"""One signal for each type of message the server sends: receivers get `message`, a `FulfillmentMessage`.

They run inside the transaction that remembers the message, so what they write happens once; one that raises has the
message come again.
"""

from django.dispatch import Signal

fulfillment_granted = Signal()
fulfillment_reversed = Signal()
fulfillment_restored = Signal()
fulfillment_quarantined = Signal()

BY_TYPE = {
    "fulfillment.granted": fulfillment_granted,
    "fulfillment.reversed": fulfillment_reversed,
    "fulfillment.restored": fulfillment_restored,
    "fulfillment.quarantined": fulfillment_quarantined,
}
