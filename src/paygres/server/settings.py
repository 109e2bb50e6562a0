"""The only reader of the environment: names and values in, one frozen `Settings` out.
Everything that is wrong is collected and told at once, one sentence each, never with a secret's value."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from urllib.parse import quote

from paygres.server.jwt_issuers import Issuer, read_issuers
from paygres.server.setting_values import Reading

ENVIRONMENTS = ("test", "live")
_SECRETS = (
    "DATABASE_URL",
    "PAYGRES_DATABASE_URL_DIRECT",
    "POSTGRES_PASSWORD",
    "JWT_SECRET",
    "ENCRYPTION_KEY",
    "ACCESS_API_KEY",
    "ACCESS_ANON_KEY",
    "ROOT_ADMIN_PASSWORD",
    "STRIPE_TEST_SECRET_KEY",
    "STRIPE_LIVE_SECRET_KEY",
    "STRIPE_TEST_WEBHOOK_SECRET",
    "STRIPE_LIVE_WEBHOOK_SECRET",
    "PAYGRES_METRICS_TOKEN",
)
_OWN_NAMES = (
    "PAYGRES_HOST",
    "PAYGRES_DATABASE_URL_DIRECT",
    "PAYGRES_POOL_SIZE",
    "PAYGRES_LOG_LEVEL",
    "PAYGRES_LOG_FORMAT",
    "PAYGRES_GUEST_CHECKOUTS",
    "PAYGRES_AUTH",
    "PAYGRES_SIGN_UPS",
    "PAYGRES_SIGN_INS_PER_MINUTE",
    "PAYGRES_PASSWORD_LENGTH",
    "PAYGRES_JWT_ISSUERS",
    "PAYGRES_LIMITS",
    "PAYGRES_RETURN_ORIGINS",
    "PAYGRES_PAST_DUE_GRACE_DAYS",
    "PAYGRES_METRICS_TOKEN",
    "PAYGRES_DEV",
    "PAYGRES_SERVER_ROLE",
)
# Read by the command line and the SDK, not by the server: present in the same shell, no mistake.
_NAMES_OF_CLIENTS = (
    "PAYGRES_READ_ONLY",
    "PAYGRES_ACCESS_TOKEN",
    "PAYGRES_ENVIRONMENT",
    "PAYGRES_DATA_DIR",
    "PAYGRES_URL",
)
_STRIPE_KEY = {"test": ("sk_test_", "rk_test_"), "live": ("sk_live_", "rk_live_")}


class SettingsError(Exception):
    """The environment cannot be used; `problems` has one sentence for each fault."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Settings:
    """What the server was told at start. Stripe's keys and secrets are maps by environment."""

    database_url: str = field(repr=False)
    direct_database_url: str = field(repr=False)
    jwt_secret: str = field(repr=False)
    encryption_key: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 7130
    api_base_url: str = "http://localhost:7130"
    pool_size: int = 10
    api_key: str | None = field(default=None, repr=False)
    anon_key: str | None = field(default=None, repr=False)
    admin_username: str = "admin"
    admin_password: str = field(default="", repr=False)
    stripe_secret_keys: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    stripe_webhook_secrets: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    stripe_api_base: str | None = None
    trust_proxy: int = 0
    log_level: str = "info"
    log_format: str = "json"
    guest_checkouts: bool = True
    auth: str = "own"
    sign_ups: bool = True
    sign_ins_per_minute: int = 60
    password_length: int = 6
    jwt_issuers: tuple[Issuer, ...] = ()
    limits: bool = True
    return_origins: tuple[str, ...] = ()
    past_due_grace_days: int = 7
    metrics_token: str = field(default="", repr=False)
    dev: bool = False


def load(environ: Mapping[str, str] | None = None, *, port: int | None = None) -> Settings:
    """Read every setting; raises SettingsError with all faults at once.

    `port` is the port really listened on, when it is not PORT: the default API_BASE_URL names it.
    """
    environ = os.environ if environ is None else environ
    read = _Reading(environ if port is None else {**environ, "PORT": str(port)})
    settings = read.settings()
    if read.problems:
        raise SettingsError(read.problems)
    return settings


def load_database_url(environ: Mapping[str, str] | None = None) -> str:
    """The direct database URL alone, for `migrate`, which needs no other setting."""
    read = _Reading(os.environ if environ is None else environ)
    url = read.database_url()
    direct = read.url("PAYGRES_DATABASE_URL_DIRECT", url, ("postgres", "postgresql"))
    if read.problems:
        raise SettingsError(read.problems)
    return direct


def load_auth(environ: Mapping[str, str] | None = None) -> str:
    """PAYGRES_AUTH alone, for `migrate`: whose schema `auth` is."""
    read = _Reading(os.environ if environ is None else environ)
    auth = read.auth()
    if read.problems:
        raise SettingsError(read.problems)
    return auth


class _Reading(Reading):
    """One pass over the environment that collects what is wrong."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(environ, _SECRETS)
        self.dev = environ.get("PAYGRES_DEV", "").strip().lower() in ("1", "true", "yes", "on")

    def settings(self) -> Settings:
        self._refuse_unknown_names()
        database_url = self.database_url()
        port = self.integer("PORT", 7130, 0, 65535)
        keys = {env: self._stripe_key(env) for env in ENVIRONMENTS}
        webhook_secrets = {env: self._webhook_secret(env) for env in ENVIRONMENTS}
        jwt_secret = self.secret("JWT_SECRET", least=32, required=True)
        password = self.secret("ROOT_ADMIN_PASSWORD", least=8)
        api_base_url = self.url("API_BASE_URL", f"http://localhost:{port}", ("http", "https")).rstrip("/")
        stripe_api_base = self.url("STRIPE_API_BASE", "", ("http", "https")).rstrip("/") or None
        origins = self._origins()
        auth = self.auth()
        if keys["live"]:
            self._refuse_careless_live(api_base_url, stripe_api_base, origins)
        return Settings(
            database_url=database_url,
            direct_database_url=self.url("PAYGRES_DATABASE_URL_DIRECT", database_url, ("postgres", "postgresql")),
            jwt_secret=jwt_secret,
            encryption_key=self._encryption_key(jwt_secret),
            host=self.text("PAYGRES_HOST") or "127.0.0.1",
            port=port,
            api_base_url=api_base_url,
            pool_size=self.integer("PAYGRES_POOL_SIZE", 10, 2, 200),
            api_key=self._api_key(),
            anon_key=self._anon_key(),
            admin_username=self.text("ROOT_ADMIN_USERNAME") or "admin",
            admin_password=password,
            stripe_secret_keys={env: key for env, key in keys.items() if key},
            stripe_webhook_secrets={env: secret for env, secret in webhook_secrets.items() if secret},
            stripe_api_base=stripe_api_base,
            trust_proxy=self.integer("TRUST_PROXY", 0, 0, 10),
            log_level=self.one_of("PAYGRES_LOG_LEVEL", "info", ("debug", "info", "warning", "error")),
            log_format=self.one_of("PAYGRES_LOG_FORMAT", "json", ("json", "console")),
            guest_checkouts=self.one_of("PAYGRES_GUEST_CHECKOUTS", "on", ("on", "off")) == "on",
            auth=auth,
            sign_ups=self.one_of("PAYGRES_SIGN_UPS", "on", ("on", "off")) == "on",
            sign_ins_per_minute=self.integer("PAYGRES_SIGN_INS_PER_MINUTE", 60, 1, 100_000),
            password_length=self.integer("PAYGRES_PASSWORD_LENGTH", 6, 6, 128),
            jwt_issuers=self._issuers(auth),
            limits=self.one_of("PAYGRES_LIMITS", "on", ("on", "off")) == "on",
            past_due_grace_days=self.integer("PAYGRES_PAST_DUE_GRACE_DAYS", 7, 0, 365),
            metrics_token=self.secret("PAYGRES_METRICS_TOKEN", least=16),
            return_origins=origins,
            dev=self.dev,
        )

    def database_url(self) -> str:
        before = len(self.problems)
        url = self.url("DATABASE_URL", "", ("postgres", "postgresql"))
        if not url and self.text("POSTGRES_HOST"):
            user, password = self.text("POSTGRES_USER") or "postgres", self.text("POSTGRES_PASSWORD")
            login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
            port = self.integer("POSTGRES_PORT", 5432, 1, 65535)
            name = quote(self.text("POSTGRES_DB") or user, safe="")
            url = f"postgresql://{login}@{self.text('POSTGRES_HOST')}:{port}/{name}"
        if not url and len(self.problems) == before:
            self.problems.append("DATABASE_URL is not set; e.g. postgresql://user@localhost:5432/shop.")
        return url

    def auth(self) -> str:
        return self.one_of("PAYGRES_AUTH", "own", ("own", "external"))

    def _issuers(self, auth: str) -> tuple[Issuer, ...]:
        issuers, faults = read_issuers(self.text("PAYGRES_JWT_ISSUERS"), external=auth == "external")
        self.problems += faults
        return issuers

    def _encryption_key(self, jwt_secret: str) -> str:
        value = self.secret("ENCRYPTION_KEY", least=32, required=not self.dev)
        if value and value == jwt_secret:
            self.problems.append("ENCRYPTION_KEY must differ from JWT_SECRET.")
        return value or f"dev:{jwt_secret}"

    def _api_key(self) -> str | None:
        value = self.secret("ACCESS_API_KEY", least=8 if self.dev else 20)
        if not value:
            return None
        return value if value.startswith("ik_") else f"ik_{value}"

    def _anon_key(self) -> str | None:
        value = self.secret("ACCESS_ANON_KEY")
        if value and not value.startswith("anon_"):
            self.problems.append("ACCESS_ANON_KEY must start with anon_.")
        return value or None

    def _stripe_key(self, environment: str) -> str:
        name = f"STRIPE_{environment.upper()}_SECRET_KEY"
        value = self.secret(name)
        if value and not value.startswith(_STRIPE_KEY[environment]):
            self.problems.append(f"{name} must start with {' or '.join(_STRIPE_KEY[environment])}.")
        return value

    def _webhook_secret(self, environment: str) -> str:
        name = f"STRIPE_{environment.upper()}_WEBHOOK_SECRET"
        value = self.secret(name)
        if value and not value.startswith("whsec_"):
            self.problems.append(f"{name} must start with whsec_.")
        return value

    def _origins(self) -> tuple[str, ...]:
        origins: list[str] = []
        for item in self.text("PAYGRES_RETURN_ORIGINS").split(","):
            origin = item.strip().rstrip("/").lower()
            if re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/\s?#*@]+", origin):
                origins.append(origin)
            elif origin:
                self.problems.append(
                    f"PAYGRES_RETURN_ORIGINS has {item.strip()!r}, which is no origin like https://shop.example.com."
                )
        return tuple(dict.fromkeys(origins))

    def _refuse_careless_live(self, base_url: str, stripe_base: str | None, origins: tuple[str, ...]) -> None:
        if not base_url.startswith("https://"):
            self.problems.append(
                "STRIPE_LIVE_SECRET_KEY needs API_BASE_URL to be the public https:// URL of this server."
            )
        if stripe_base:
            self.problems.append("STRIPE_API_BASE cannot be combined with STRIPE_LIVE_SECRET_KEY.")
        if not origins:
            self.problems.append(
                "STRIPE_LIVE_SECRET_KEY needs PAYGRES_RETURN_ORIGINS, the origins buyers may return to."
            )

    def _refuse_unknown_names(self) -> None:
        known = {*_OWN_NAMES, *_NAMES_OF_CLIENTS, *(f"{name}_FILE" for name in _SECRETS)}
        for name in sorted(self.environ):
            if not name.startswith("PAYGRES_") or name in known or name.startswith("PAYGRES_TEST_"):
                continue
            near = get_close_matches(name, _OWN_NAMES, n=1, cutoff=0.75)
            hint = f"; did you mean {near[0]}?" if near else "."
            self.problems.append(f"{name} is not a setting{hint}")
