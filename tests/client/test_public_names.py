"""What `import paygres` offers, what it costs, and what it must not pull in."""

import json
import subprocess
import sys

import paygres

SERVER_ONLY = {"asyncpg", "stripe", "starlette", "uvicorn", "typer", "aiohttp", "structlog", "cryptography", "jwt"}
NAMES = {
    "Access", "AdminClient", "AsyncClient", "AuthenticationError", "CheckoutSession", "Client", "ConfigurationError",
    "ConflictError", "CreateCheckoutSessionResponse", "CreateCustomerPortalSessionResponse", "CustomerPortalSession",
    "Environment", "FulfillmentMessage", "GetCheckoutSessionResponse", "GetSubjectResponse", "InsforgeError",
    "LineItem", "LineItemDict", "NetworkError", "NotFoundError", "PaygresError", "PaymentError",
    "PermissionDeniedError", "RateLimitError", "RequestTimeoutError", "Result", "ServerError", "SignatureError",
    "Subject", "SubjectBilling", "SubjectDict", "SubjectSubscription", "UpstreamError", "ValidationError",
    "__version__", "create_admin_client", "create_async_client", "create_client", "verify_message",
}  # fmt: skip


def fresh(code: str) -> str:
    """What a new Python prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_public_names_are_these() -> None:
    assert set(paygres.__all__) == NAMES
    assert {name for name in NAMES if getattr(paygres, name) is None} == set()
    assert dir(paygres) == sorted(NAMES)


def test_the_package_alone_imports_nothing() -> None:
    loaded = json.loads(fresh("import sys, paygres, json; print(json.dumps(sorted(sys.modules)))"))
    assert not [name for name in loaded if name.partition(".")[0] in {"pydantic", "httpx2"} | SERVER_ONLY]


def test_the_sdk_pulls_in_nothing_of_the_server() -> None:
    code = "import sys, json; from paygres import *; print(json.dumps(sorted(sys.modules)))"
    loaded = {name.partition(".")[0] for name in json.loads(fresh(code))}
    assert loaded & SERVER_ONLY == set()
    assert {"pydantic", "httpx2"} <= loaded
    ours = [name for name in json.loads(fresh(code)) if name.startswith("paygres.")]
    assert all(name.startswith("paygres.client") for name in ours), ours


def test_a_name_that_is_none_of_ours() -> None:
    assert fresh("import paygres\ntry: paygres.nothing\nexcept AttributeError as e: print(e)").strip() == (
        "module 'paygres' has no attribute 'nothing'"
    )
