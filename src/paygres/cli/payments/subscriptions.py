"""`subscriptions`: all of them, or one subject's."""

from paygres.cli.call import Call, Command, Noun
from paygres.cli.payments.subjects import subject, subject_options, subject_query


def list_subscriptions(call: Call) -> None:
    body = call.backend.call("GET", call.path("subscriptions"), query=subject_query(call))
    if call.screen.json:
        call.screen.answer(body)
    elif body["subscriptions"]:
        call.screen.rows(
            ("Subscription ID", "Customer", "Subject", "Status", "Items", "Period End"),
            [
                (
                    one["subscriptionId"],
                    one["customerId"],
                    subject(one["subjectType"], one["subjectId"]),
                    one["status"],
                    len(one["items"]),
                    call.when(one["currentPeriodEnd"]),
                )
                for one in body["subscriptions"]
            ],
        )
    else:
        call.screen.say("No Stripe subscriptions found.")


NOUN = Noun({"list": Command("Subscriptions", list_subscriptions, subject_options)}, bare="list")
