"""What this process counts for Prometheus: one registry, filled where things happen, shown by http/metrics.py.
Labels are few and bounded: never a subject, a user or an id."""

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from paygres import __version__

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LAG_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0, 21600.0, 86400.0)

REGISTRY = CollectorRegistry()
_requests = Counter("paygres_http_requests", "HTTP requests answered", ("route", "method", "status"), registry=REGISTRY)
_request_seconds = Histogram(
    "paygres_http_request_seconds",
    "Time until the answer began",
    ("route",),
    buckets=_SECONDS,
    registry=REGISTRY,
)
_events = Counter(
    "paygres_webhook_events",
    "Attempts at events, by what became of them; duplicate: it was done already",
    ("environment", "event_type", "outcome"),
    registry=REGISTRY,
)
_event_seconds = Histogram(
    "paygres_webhook_processing_seconds",
    "Time an attempt at an event took",
    ("environment",),
    buckets=_SECONDS,
    registry=REGISTRY,
)
_event_lag = Histogram(
    "paygres_webhook_lag_seconds",
    "Age of an event when its first attempt ended; Stripe's clock counts whole seconds",
    ("environment",),
    buckets=_LAG_SECONDS,
    registry=REGISTRY,
)
_signature_failures = Counter(
    "paygres_webhook_signature_failures",
    "Deliveries whose signature did not hold",
    ("environment",),
    registry=REGISTRY,
)
_stripe = Counter(
    "paygres_stripe_requests",
    "Requests to Stripe; status is Stripe's, unreachable or abandoned",
    ("operation", "status"),
    registry=REGISTRY,
)
_stripe_seconds = Histogram(
    "paygres_stripe_request_seconds",
    "Time a request to Stripe took, waiting for its turn and retries included",
    ("operation",),
    buckets=_SECONDS,
    registry=REGISTRY,
)
_checkouts = Counter(
    "paygres_checkout_sessions",
    "Checkout requests, by the status of the answered session or the code of the refusal",
    ("environment", "mode", "outcome"),
    registry=REGISTRY,
)
_waits = Counter(
    "paygres_checkout_waits",
    "Requests that waited for a checkout; dead: an event about it is, late: it was not settled in time",
    ("environment", "outcome"),
    registry=REGISTRY,
)
_waiters = Gauge("paygres_checkout_waiters", "Requests that wait for a checkout now", registry=REGISTRY)
_swept = Counter(
    "paygres_sweep_events",
    "Events Stripe listed to a sweep, and those of them that had not arrived",
    ("environment", "kind"),
    registry=REGISTRY,
)
_gaps = Counter(
    "paygres_chain_gaps",
    "Updates that did not follow from what was known; arrived: what was missing came, refetched: Stripe was asked",
    ("environment", "outcome"),
    registry=REGISTRY,
)
_syncs = Counter("paygres_sync_runs", "Syncs of an account", ("environment", "outcome"), registry=REGISTRY)
Gauge("paygres_build_info", "Which version runs", ("version",), registry=REGISTRY).labels(__version__).set(1)


# The library looks labels up under a lock; what was looked up once is remembered here. Keys are as bounded as labels.
@cache
def _of_request(route: str, method: str, status: int) -> tuple[Counter, Histogram]:
    return _requests.labels(route, method, str(status)), _request_seconds.labels(route)


@cache
def _of_event(environment: str, event_type: str, outcome: str) -> tuple[Counter, Histogram, Histogram]:
    attempts = _events.labels(environment, event_type, outcome)
    return attempts, _event_seconds.labels(environment), _event_lag.labels(environment)


@cache
def _of_stripe(operation: str, status: str) -> tuple[Counter, Histogram]:
    return _stripe.labels(operation, status), _stripe_seconds.labels(operation)


@cache
def _of_checkout(environment: str, mode: str, outcome: str) -> Counter:
    return _checkouts.labels(environment, mode, outcome)


def request_answered(route: str, method: str, status: int, seconds: float) -> None:
    """`route` is its template, `other` for an unknown path."""
    answered, took = _of_request(route, method if method in _METHODS else "other", status)
    answered.inc()
    took.observe(seconds)


def event_attempted(environment: str, event_type: str, outcome: str, seconds: float, lag: float | None) -> None:
    """`event_type` is one we know, or `other`; `lag` in seconds at a first attempt."""
    attempts, took, age = _of_event(environment, event_type, outcome)
    attempts.inc()
    took.observe(seconds)
    if lag is not None:
        age.observe(max(lag, 0.0))


def signature_failed(environment: str) -> None:
    """A delivery was refused."""
    _signature_failures.labels(environment).inc()


def stripe_answered(operation: str, status: str, seconds: float) -> None:
    """`operation` is method and noun without ids; `status` Stripe's, or a word when there was none."""
    answered, took = _of_stripe(operation, status)
    answered.inc()
    took.observe(seconds)


def checkout_answered(environment: str, mode: str, outcome: str) -> None:
    """`outcome` is the session's status, or the code of the refusal."""
    _of_checkout(environment, mode, outcome).inc()


def wait_ended(environment: str, outcome: str) -> None:
    """`outcome` is settled, dead or late."""
    _waits.labels(environment, outcome).inc()


def waiters_now(count: int) -> None:
    """How many requests wait."""
    _waiters.set(count)


def events_swept(environment: str, listed: int, missing: int) -> None:
    """A piece of Stripe's list of events was compared with the ledger."""
    _swept.labels(environment, "listed").inc(listed)
    _swept.labels(environment, "missing").inc(missing)


def gap_ended(environment: str, outcome: str) -> None:
    """`outcome` is arrived, refetched or left."""
    _gaps.labels(environment, outcome).inc()


def sync_ended(environment: str, outcome: str) -> None:
    """`outcome` is succeeded or failed."""
    _syncs.labels(environment, outcome).inc()
