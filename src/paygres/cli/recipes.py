"""The ready recipes for fulfillment: SQL files that come with the package, and what each is for."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "recipes"

# Name -> the line that lists show. The files are <name>.sql and <name>.down.sql.
RECIPES = {
    "orders": "public.orders: paid once, for their own price and amount; refunds and disputes follow",
    "credits": "public.credit_ledger: packs are bought, credits are spent, refunds take back their share",
    "entitlements": "public.user_entitlements: features by one-time purchases and by subscriptions",
    "team-billing": "public.team_billing_status: a team's plan, status, seats and period",
}


def read(name: str, *, down: bool = False) -> str:
    """The SQL of a recipe, or what takes it away again. KeyError for a name that is not one."""
    if name not in RECIPES:
        raise KeyError(name)
    return (FOLDER / f"{name}{'.down' if down else ''}.sql").read_text(encoding="utf-8")
