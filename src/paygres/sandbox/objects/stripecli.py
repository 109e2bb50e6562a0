"""What Stripe's CLI asks for besides the API (undocumented, so not in the published API): a session for
`stripe listen`, and an event once more for `stripe events resend`."""

from typing import Any

from paygres.sandbox.listen import listening_to, signing_secret
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.spec.document import VERSION
from paygres.sandbox.wire.errors import missing_parameter
from paygres.sandbox.world import Work

RECONNECT_SECONDS = 60


def open_session(work: Work, params: Params) -> Object:
    websocket_id, url = listening_to(work.world).open(work.account)
    answer: dict[str, Any] = {
        "object": "stripecli.session",
        "default_version": VERSION,
        "display_connect_filter_warning": False,
        "latest_version": VERSION,
        "reconnect_delay": RECONNECT_SECONDS,
        "secret": signing_secret(work.account),
        "websocket_authorized_feature": "webhooks",
        "websocket_id": websocket_id,
        "websocket_url": url,
    }
    return answer


def retry_event(work: Work, params: Params, id: str) -> Object:
    """To those who listen (`for_stripecli`), or to one endpoint."""
    event = work.find("event", id, "id", in_path=True)
    if params.get("for_stripecli") == "true":
        listening_to(work.world).repeat(work.account, id)
        return event
    if "webhook_endpoint" not in params:
        raise missing_parameter("webhook_endpoint")
    endpoint = work.find_living("webhook_endpoint", params["webhook_endpoint"], "webhook_endpoint")
    again = "UPDATE deliveries SET state = 'pending', attempts = 0, due = ? WHERE event = ? AND endpoint = ?"
    known = work.store.run(again, (work.world.time(), id, endpoint["id"])).rowcount
    if not known:
        work.store.run(
            "INSERT INTO deliveries (account, event, endpoint, due) VALUES (?, ?, ?, ?)",
            (work.account, id, endpoint["id"], work.world.time()),
        )
    work.delivers = True
    return event


ROUTES: Routes = {
    "POST /v1/stripecli/sessions": open_session,
    "POST /v1/events/{id}/retry": retry_event,
}
