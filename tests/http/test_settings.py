"""Settings: every fault in one clear sentence, all at once, and never a secret's value."""

from pathlib import Path

import pytest

from paygres.server.settings import SettingsError, load, load_database_url

SECRET = "b7f3a1c25d9e4806"
GOOD = {
    "DATABASE_URL": "postgresql://shop:pw@db.example.com:5432/shop",
    "JWT_SECRET": SECRET + SECRET[::-1],
    "ENCRYPTION_KEY": SECRET + "0011223344556677",
}
LIVE = {
    "STRIPE_LIVE_SECRET_KEY": "sk_live_" + SECRET,
    "API_BASE_URL": "https://pay.example.com/",
    "PAYGRES_RETURN_ORIGINS": "https://shop.example.com/, myapp://done",
}
REFUSED = {
    "DATABASE_URL is not set": {"DATABASE_URL": ""},
    "DATABASE_URL must be a URL that starts with postgres://": {"DATABASE_URL": "mysql://a/b"},
    "JWT_SECRET is not set": {"JWT_SECRET": ""},
    "JWT_SECRET is 16 characters long; it needs at least 32": {"JWT_SECRET": SECRET},
    "JWT_SECRET is a placeholder": {"JWT_SECRET": "your-secret-key-here-must-be-32-char-or-above"},
    "JWT_SECRET repeats a few characters": {"JWT_SECRET": "ab" * 20},
    "ENCRYPTION_KEY is not set": {"ENCRYPTION_KEY": ""},
    "ENCRYPTION_KEY must differ from JWT_SECRET": {"ENCRYPTION_KEY": GOOD["JWT_SECRET"]},
    "ROOT_ADMIN_PASSWORD is a placeholder": {"ROOT_ADMIN_PASSWORD": "change-this-password"},
    "ROOT_ADMIN_PASSWORD is 5 characters long": {"ROOT_ADMIN_PASSWORD": "hello"},
    "ACCESS_API_KEY is a placeholder": {"ACCESS_API_KEY": "changeme"},
    "ACCESS_API_KEY is 8 characters long": {"ACCESS_API_KEY": "ik_short"},
    "ACCESS_ANON_KEY must start with anon_": {"ACCESS_ANON_KEY": SECRET},
    "STRIPE_TEST_SECRET_KEY must start with sk_test_ or rk_test_": {"STRIPE_TEST_SECRET_KEY": "sk_live_" + SECRET},
    "STRIPE_TEST_SECRET_KEY is a placeholder": {"STRIPE_TEST_SECRET_KEY": "sk_test_..."},
    "STRIPE_TEST_WEBHOOK_SECRET must start with whsec_": {"STRIPE_TEST_WEBHOOK_SECRET": SECRET},
    "needs API_BASE_URL to be the public https://": {**LIVE, "API_BASE_URL": "http://pay.example.com"},
    "STRIPE_API_BASE cannot be combined": {**LIVE, "STRIPE_API_BASE": "http://127.0.0.1:12111"},
    "needs PAYGRES_RETURN_ORIGINS": {**LIVE, "PAYGRES_RETURN_ORIGINS": ""},
    "PAYGRES_RETURN_ORIGINS has 'shop.example.com'": {"PAYGRES_RETURN_ORIGINS": "shop.example.com"},
    "PORT must be a whole number from 0 to 65535": {"PORT": "70000"},
    "TRUST_PROXY must be a whole number": {"TRUST_PROXY": "true"},
    "PAYGRES_POOL_SIZE must be": {"PAYGRES_POOL_SIZE": "1"},
    "PAYGRES_LOG_LEVEL must be one of": {"PAYGRES_LOG_LEVEL": "loud"},
    "PAYGRES_LIMITS must be one of on, off": {"PAYGRES_LIMITS": "maybe"},
    "PAYGRES_AUTH must be one of own, external": {"PAYGRES_AUTH": "theirs"},
    "PAYGRES_SIGN_UPS must be one of on, off": {"PAYGRES_SIGN_UPS": "maybe"},
    "PAYGRES_PASSWORD_LENGTH must be a whole number from 6 to 128": {"PAYGRES_PASSWORD_LENGTH": "5"},
    "PAYGRES_SIGN_INS_PER_MINUTE must be a whole number": {"PAYGRES_SIGN_INS_PER_MINUTE": "0"},
    "PAYGRES_JWT_ISSUERS is not valid JSON": {"PAYGRES_JWT_ISSUERS": "https://login.example.com"},
    "PAYGRES_POOLSIZE is not a setting; did you mean PAYGRES_POOL_SIZE?": {"PAYGRES_POOLSIZE": "5"},
    "PAYGRES_WHATEVER is not a setting.": {"PAYGRES_WHATEVER": "5"},
    "API_BASE_URL must be a URL": {"API_BASE_URL": "pay.example.com"},
    "JWT_SECRET_FILE names /nonexistent, which cannot be read": {
        "JWT_SECRET": "",
        "JWT_SECRET_FILE": "/nonexistent",
    },
    "JWT_SECRET and JWT_SECRET_FILE are both set": {"JWT_SECRET_FILE": "/nonexistent"},
}


def faults(**changes: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load({**GOOD, **changes})
    return refused.value.problems


@pytest.mark.parametrize("sentence", REFUSED)
def test_a_wrong_setting_is_refused_in_one_sentence(sentence: str) -> None:
    problems = faults(**REFUSED[sentence])
    assert len(problems) == 1
    assert sentence in problems[0]
    assert SECRET not in problems[0]


def test_all_faults_are_told_at_once() -> None:
    problems = faults(JWT_SECRET="", PORT="x", PAYGRES_LOG_LEVEL="loud", STRIPE_TEST_SECRET_KEY="pk_test_1")
    assert len(problems) == 4


def test_defaults_are_those_of_a_local_server() -> None:
    settings = load(GOOD)
    assert (settings.host, settings.port, settings.api_base_url) == (
        "127.0.0.1",
        7130,
        "http://localhost:7130",
    )
    assert (settings.trust_proxy, settings.pool_size, settings.limits, settings.guest_checkouts) == (
        0,
        10,
        True,
        True,
    )
    assert settings.direct_database_url == settings.database_url == GOOD["DATABASE_URL"]
    assert load({**GOOD, "API_BASE_URL": "", "PORT": "8000"}).api_base_url == "http://localhost:8000"
    assert load({**GOOD, "PORT": "8000"}, port=9000).api_base_url == "http://localhost:9000"


def test_a_live_installation_is_read() -> None:
    settings = load({**GOOD, **LIVE, "ACCESS_API_KEY": SECRET + SECRET})
    assert settings.api_base_url == "https://pay.example.com"
    assert settings.return_origins == ("https://shop.example.com", "myapp://done")
    assert settings.api_key == "ik_" + SECRET + SECRET
    assert list(settings.stripe_secret_keys) == ["live"]


def test_a_restricted_stripe_key_is_accepted() -> None:
    assert load({**GOOD, "STRIPE_TEST_SECRET_KEY": "rk_test_" + SECRET}).stripe_secret_keys


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "jwt").write_text(GOOD["JWT_SECRET"] + "\n")
    settings = load({**GOOD, "JWT_SECRET": "", "JWT_SECRET_FILE": str(tmp_path / "jwt")})
    assert settings.jwt_secret == GOOD["JWT_SECRET"]


def test_in_dev_the_encryption_key_may_be_missing() -> None:
    assert load({**GOOD, "ENCRYPTION_KEY": "", "PAYGRES_DEV": "1"}).encryption_key != GOOD["JWT_SECRET"]


def test_no_secret_is_in_the_representation() -> None:
    settings = load({**GOOD, **LIVE, "ROOT_ADMIN_PASSWORD": SECRET})
    assert SECRET not in repr(settings)
    assert "pw@" not in repr(settings)


def test_names_of_clients_are_no_mistake() -> None:
    assert load({**GOOD, "PAYGRES_ACCESS_TOKEN": "x", "PAYGRES_ENVIRONMENT": "test", "PAYGRES_TEST_ANY": "1"})


def test_postgres_variables_make_a_url() -> None:
    parts = {"POSTGRES_HOST": "db", "POSTGRES_USER": "a@b", "POSTGRES_PASSWORD": "p/w", "POSTGRES_DB": "shop"}
    assert load({**GOOD, "DATABASE_URL": "", **parts}).database_url == "postgresql://a%40b:p%2Fw@db:5432/shop"


def test_migrations_need_only_the_direct_url() -> None:
    direct = "postgresql://owner@db.example.com/shop"
    assert load_database_url({**GOOD, "JWT_SECRET": "", "PAYGRES_DATABASE_URL_DIRECT": direct}) == direct
    assert load_database_url({"DATABASE_URL": GOOD["DATABASE_URL"]}) == GOOD["DATABASE_URL"]
