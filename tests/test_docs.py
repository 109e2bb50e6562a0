"""What the documentation says is so: names, routes, links and sizes, and its SQL runs and does what it promises."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from starlette.routing import Route

from paygres.server import settings as settings_module
from paygres.server.app import create_app
from paygres.server.settings import Settings
from tests.fresh_database import FreshDatabase

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
LIMITS = {"README.md": 150, "ARCHITECTURE.md": 150, "AGENTS.md": 60}
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!\w+://|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
ORDER = "00000000-0000-4000-8000-000000000001"
with_sql = pytest.mark.parametrize(
    "page", ["README.md", "docs/fulfillment.md", "docs/row-level-security.md"], ids=lambda page: page
)


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of one language, in the order of the page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [body for named, body in FENCED.findall(text) if named == language]


def anchors(page: Path) -> set[str]:
    """What GitHub makes of the page's headings."""
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(("page", "most"), LIMITS.items())
def test_a_page_that_must_be_short_is_short(page: str, most: int) -> None:
    assert (ROOT / page).read_text(encoding="utf-8").count("\n") <= most


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_of_ours_leads_somewhere(page: Path) -> None:
    for name, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name} links to {name}"
        assert not anchor or anchor in anchors(target), f"{page.name} links to {name}#{anchor}"


def test_every_page_is_reached_from_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / name).resolve() for name, _ in LINK.findall(index.read_text(encoding="utf-8"))}
    assert {page.resolve() for page in (ROOT / "docs").rglob("*.md")} - linked == {index.resolve()}


def test_every_setting_is_documented_and_every_documented_setting_exists() -> None:
    code = Path(settings_module.__file__).read_text(encoding="utf-8")
    known = set(re.findall(r'"([A-Z][A-Z_]{2,}[A-Z])"', code))
    rows = re.findall(r"^\| (`[^|]+) \|", (ROOT / "docs/configuration.md").read_text(encoding="utf-8"), re.MULTILINE)
    clients = (ROOT / "docs/configuration.md").read_text(encoding="utf-8").partition("## Names left to clients")[2]
    documented = set(re.findall(r"`([A-Z_]+)`", " ".join(rows)))
    documented |= set(re.findall(r"`(PAYGRES_[A-Z_]+)`", clients.partition("##")[0]))
    assert documented == known


def test_every_route_of_the_openapi_document_is_documented_and_no_other() -> None:
    app = create_app(Settings(database_url="", direct_database_url="", jwt_secret="", encryption_key=""))
    route = next(route for route in app.routes if isinstance(route, Route) and route.path == "/openapi.json")
    answer = asyncio.run(route.endpoint.endpoint(None))  # pyright: ignore[reportFunctionMemberAccess]
    document = json.loads(answer.body)
    real = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    page = (ROOT / "docs/http-api.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`]+)`", page)) == real


def test_every_error_code_of_the_server_is_documented() -> None:
    sources = (ROOT / "src/paygres/server").rglob("*.py")
    raised = {code for file in sources for code in re.findall(r'\bcode(?: =|=) ?"([A-Z_]{5,})"', file.read_text())}
    page = (ROOT / "docs/http-api.md").read_text(encoding="utf-8")
    assert {code for code in raised if f"`{code}`" not in page} <= {"FORBIDDEN"}  # reworded before it is answered


@with_sql
async def test_the_sql_of_a_page_runs_as_the_owner_of_the_tables(database: FreshDatabase, page: str) -> None:
    assert await run_sql(database, page) >= 2


async def test_the_orders_trigger_of_the_readme_pays_the_right_order_once(database: FreshDatabase) -> None:
    await run_sql(database, "README.md")
    insert = "insert into public.orders (id, price_id, amount, currency) values ($1, 'price_1Example', 1900, 'usd')"
    assert await ask(database.owner_url, insert + " returning status", ORDER) == "pending"
    statuses: list[Any] = []
    for name, price, subtotal in (
        ("cheap", "price_1Cheap", 100),
        ("other", "price_1Other", 1900),
        ("right", "price_1Example", 1900),
        ("again", "price_1Example", 1900),
    ):
        metadata = {"order_id": ORDER, "insforge_checkout_session_id": await keep_checkout(database, price)}
        await mark_processed(database, name, {"amount_subtotal": subtotal, "metadata": metadata})
        statuses.append(await ask(database.owner_url, "select status from public.orders"))
    assert statuses == ["pending", "pending", "paid", "paid"]
    granted = "select string_agg(payment_key || ' ' || status, ', ' order by created_at) from payments.fulfillments"
    assert await ask(database.superuser_url, granted) == (
        "cs_cheap quarantined, cs_other quarantined, cs_right granted, cs_again quarantined"
    )


async def test_the_fulfillment_page_pays_an_order_and_takes_it_back(database: FreshDatabase) -> None:
    await run_sql(database, "docs/fulfillment.md")
    insert = "insert into public.orders (id, price_id, amount, currency) values ($1, 'price_1Example', 1900, 'usd')"
    await ask(database.owner_url, insert + " returning id", ORDER)
    metadata = {"order_id": ORDER, "insforge_checkout_session_id": await keep_checkout(database, "price_1Example")}
    await mark_processed(database, "paid", {"amount_subtotal": 1900, "amount_total": 1900, "metadata": metadata})
    statuses = [await ask(database.owner_url, "select status from public.orders")]
    for kept, status in ((900, "granted"), (0, "reversed"), (1900, "granted")):
        change = "update payments.fulfillments set amount_kept = $1, status = $2 where rule = 'orders' returning id"
        await ask(database.superuser_url, change, kept, status)
        statuses.append(await ask(database.owner_url, "select status from public.orders"))
    assert statuses == ["paid", "partially_refunded", "refunded", "paid"]


async def test_the_credits_trigger_grants_once_for_a_paid_event(database: FreshDatabase) -> None:
    await run_sql(database, "docs/fulfillment.md")
    stamped = {"insforge_subject_type": "user", "insforge_subject_id": "user_1"}
    unpaid = {"amount_subtotal": 1900, "metadata": stamped, "payment_status": "unpaid"}
    await mark_processed(database, "unpaid", unpaid)
    assert await ask(database.owner_url, "select count(*) from public.credits") == 0
    for _ in range(2):
        await mark_processed(database, "paid", {"amount_subtotal": 1900, "metadata": stamped})
    assert await ask(database.owner_url, "select sum(amount) from public.credits where user_id = 'user_1'") == 100


@pytest.mark.parametrize(
    ("subject", "allowed"),
    [
        (("user", "user_1"), True),
        (("user", "user_2"), False),
        (("team", "team_1"), True),
        (("team", "team_2"), False),
        (("planet", "earth"), False),
    ],
)
async def test_the_can_bill_of_the_readme(database: FreshDatabase, subject: tuple[str, str], allowed: bool) -> None:
    await run_sql(database, "README.md")
    members = "('team_1', 'user_1', 'owner'), ('team_2', 'user_1', 'member')"
    await ask(database.owner_url, f"insert into public.team_members values {members} returning 1")
    connection = await asyncpg.connect(database.server_url)
    try:
        claims = json.dumps({"role": "authenticated", "sub": "user_1"})
        await connection.execute(f"set role authenticated; set request.jwt.claims = '{claims}'")
        assert await connection.fetchval("select payments.can_bill($1, $2)", *subject) is allowed
    finally:
        await connection.close()


async def run_sql(database: FreshDatabase, page: str) -> int:
    """Runs the page's SQL as a newcomer would, one block after the other; returns how many there are."""
    connection = await asyncpg.connect(database.owner_url)
    try:
        for block in blocks(page, "sql"):
            await connection.execute(block)
    finally:
        await connection.close()
    return len(blocks(page, "sql"))


async def ask(url: str, statement: str, *arguments: object) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement, *arguments)
    finally:
        await connection.close()


async def keep_checkout(database: FreshDatabase, price: str) -> str:
    """The row that starting a checkout of one piece left behind; its id."""
    statement = (
        "insert into payments.stripe_checkout_sessions (environment, mode, success_url, cancel_url, line_items)"
        " values ('test', 'payment', 'https://shop.example.com', 'https://shop.example.com',"
        " jsonb_build_array(jsonb_build_object('priceId', $1::text, 'quantity', 1))) returning id::text"
    )
    return await ask(database.superuser_url, statement, price)


async def mark_processed(database: FreshDatabase, name: str, session: dict[str, Any]) -> None:
    """A completed checkout's event reaches its mark, as the server's own login and role make it."""
    whole = {"id": f"cs_{name}", "object": "checkout.session", "currency": "usd", "payment_status": "paid", **session}
    event = {"id": f"evt_{name}", "type": "checkout.session.completed", "data": {"object": whole}}
    connection = await asyncpg.connect(database.server_url, server_settings={"role": "paygres_service"})
    try:
        mark = "select payments.mark_event('test', 'acct_1Example', $1, 'processed', 1, null)"
        await connection.fetchval(mark, json.dumps(event))
    finally:
        await connection.close()
