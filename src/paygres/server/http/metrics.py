"""GET /metrics for Prometheus: what this process counted, and what the database says right now."""

from hmac import compare_digest

from prometheus_client import Gauge, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from paygres.server.flows.parts import Parts
from paygres.server.flows.read_backlog import Counted, read_backlog, read_checks, read_progress, read_undelivered
from paygres.server.http.authenticate import require_admin
from paygres.server.http.documented import Documented
from paygres.server.http.parts import parts_of
from paygres.server.metrics import REGISTRY

_MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def _gauge(name: str, meaning: str, *labels: str) -> Gauge:
    return Gauge(f"paygres_{name}", meaning, labels, registry=REGISTRY)


_BY_STATE = {
    "pending": _gauge("webhook_pending", "Events to be processed", "environment"),
    "parked": _gauge("webhook_parked", "Events that wait for something", "environment"),
    "failed": _gauge("webhook_failed", "Events that failed and will be tried again", "environment"),
    "dead": _gauge("webhook_dead", "Events that failed and wait for an operator", "environment"),
    "oldest": _gauge("webhook_oldest_pending_seconds", "Age of the oldest event to be processed", "environment"),
    "attention": _gauge("attention_open", "Things an operator should look at", "environment"),
}
_SYNCED = _gauge("sync_last_success_timestamp", "Unix time of the last sync that succeeded", "environment")
_UNMAPPED = _gauge("unmapped_subscriptions", "Live subscriptions without a subject, of the last minute", "environment")
_COMPLETE = _gauge(
    "events_complete_through_timestamp", "Every event Stripe listed up to this Unix time is stored", "environment"
)
_GAPS = _gauge("chain_gaps_open", "Updates whose predecessor has not come yet", "environment")
_BROKEN = _gauge(
    "invariant_violations", "Rows of which the last look said what must not be", "environment", "invariant"
)
_REFETCHES = _gauge("refetches_pending", "Objects to be read at Stripe", "environment")
_UNDELIVERED = _gauge("messages_undelivered", "Messages about fulfillments that are to be delivered", "environment")
_OLDEST_MESSAGE = _gauge("messages_oldest_undelivered_seconds", "Age of the oldest of them", "environment")
_REVERSALS = _gauge("reversals_pending", "Payments whose fulfillments do not follow them yet", "environment")
_POOL = _gauge("db_pool_in_use", "Database connections at work", "pool")
_DATABASE = _gauge("database_up", "1 when the database answered this scrape")
_STREAMS = _gauge("event_streams_open", "Clients that watch events")


async def metrics(request: Request) -> Response:
    parts = parts_of(request)
    if not _has_token(request, parts.metrics_token):
        await require_admin(request)
    await _look(parts, request.app.state.counted)
    # One scrape at a time fills and shows the gauges: nothing is awaited in between.
    return Response(generate_latest(REGISTRY), media_type=_MEDIA_TYPE, headers={"cache-control": "no-store"})


def _has_token(request: Request, token: str) -> bool:
    presented = request.headers.get("authorization", "")
    return bool(token) and compare_digest(presented.encode(), f"Bearer {token}".encode())


async def _look(parts: Parts, counted: Counted) -> None:
    found = await read_backlog(parts.db, counted)
    _DATABASE.set(0 if found is None else 1)
    for gauge in (*_BY_STATE.values(), _SYNCED, _UNMAPPED):
        gauge.clear()  # no old numbers when the database is away
    for backlog in found or ():
        for name, gauge in _BY_STATE.items():
            gauge.labels(backlog.environment).set(getattr(backlog, name))
        if backlog.synced_at is not None:
            _SYNCED.labels(backlog.environment).set(backlog.synced_at)
        _UNMAPPED.labels(backlog.environment).set(counted.unmapped.get(backlog.environment, 0))
    progress = None if found is None else await read_progress(parts.db)
    for gauge in (_COMPLETE, _GAPS, _REFETCHES, _BROKEN):
        gauge.clear()
    for check in () if found is None else await read_checks(parts.db):
        _BROKEN.labels(check.environment, check.name).set(check.violations)
    for one in progress or ():
        if one.complete_through is not None:
            _COMPLETE.labels(one.environment).set(one.complete_through)
        _GAPS.labels(one.environment).set(one.gaps)
        _REFETCHES.labels(one.environment).set(one.refetches)
    for gauge in (_UNDELIVERED, _OLDEST_MESSAGE, _REVERSALS):
        gauge.clear()
    for of in () if found is None else await read_undelivered(parts.db):
        _UNDELIVERED.labels(of.environment).set(of.undelivered)
        _OLDEST_MESSAGE.labels(of.environment).set(of.oldest)
        _REVERSALS.labels(of.environment).set(of.reversals)
    for pool, in_use in parts.db.in_use().items():
        _POOL.labels(pool).set(in_use)
    _STREAMS.set(parts.streams.open)


ROUTES = [
    Documented(
        "GET",
        "/metrics",
        metrics,
        "Counters and gauges in Prometheus' text format; also with PAYGRES_METRICS_TOKEN",
        "admin",
        str,
        also=("text/plain",),
        errors=(401, 403, 503),
        extension=True,
    )
]
