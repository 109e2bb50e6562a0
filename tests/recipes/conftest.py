"""One server for all tests of recipes: the four of them live side by side in its database, as they may in yours."""

from collections.abc import Iterator

import pytest

from paygres.server.db.embedded import Urls
from tests.recipes.played import Play, playing

# What each recipe's own tables want to know, and who belongs to which team. Tests tell their users apart by name.
SHOP = """
insert into public.credit_packs (price_id, credits, amount, currency) values
    ('price_pack', 100, 2500, 'usd'), ('price_small', 7, 1250, 'usd'), ('price_three', 3, 3, 'usd');
insert into public.entitlement_prices (price_id, features, amount, currency) values
    ('price_book', array['book'], 2500, 'usd'), ('price_bundle', array['book', 'video'], 4000, 'usd'),
    ('price_pro', array['export', 'priority'], null, null), ('price_basic', array['export'], null, null);
insert into public.team_plans values ('price_pro', 'pro'), ('price_pro_yearly', 'pro'), ('price_basic', 'basic');
create table public.team_members (team_id text, user_id text);
create or replace function payments.can_bill(subject_type text, subject_id text) returns boolean
language sql stable security definer set search_path = '' as $$
    select can_bill.subject_type = 'team' and exists (
        select from public.team_members m
        where m.team_id = can_bill.subject_id and m.user_id = auth.jwt() ->> 'sub')
$$;
"""


@pytest.fixture(scope="session")
def play(postgres: Urls) -> Iterator[Play]:
    with playing(postgres, SHOP) as opened:
        yield opened
