"""Issuers of access tokens other than ourselves, as PAYGRES_JWT_ISSUERS describes them. Pure: text in, words or faults
out."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

# Only algorithms with a public key: a shared secret of somebody else would be a password of ours.
ALGORITHMS = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA",),
}
_ALL = tuple(name for names in ALGORITHMS.values() for name in names)
_DEFAULT = ("RS256", "ES256")
_FIELDS = ("name", "issuer", "jwksUrl", "jwks", "audience", "algorithms", "subjectClaim", "scoped")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SETTING = "PAYGRES_JWT_ISSUERS"


@dataclass(frozen=True, slots=True)
class Issuer:
    """One issuer. Its keys are at `jwks_url` or given as `jwks`. `audience` empty: any. `scoped`: its `sub` is known
    here as `name:sub`, so that two issuers never mean the same person by chance."""

    name: str
    issuer: str
    jwks_url: str | None = None
    jwks: tuple[Mapping[str, Any], ...] = ()
    audience: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = _DEFAULT
    subject_claim: str = "sub"
    scoped: bool = True


class _Fault(Exception):
    """One sentence about the setting."""


def read_issuers(text: str, *, external: bool) -> tuple[tuple[Issuer, ...], list[str]]:
    """The issuers and every fault, one sentence each. `external`: users are the platform's, so that one issuer may keep
    its subjects as they are."""
    if not text:
        return (), []
    try:
        written: Any = json.loads(text)
    except ValueError:
        return (), [f"{_SETTING} is not valid JSON; it is a list of objects with {', '.join(_FIELDS)}."]
    entries: list[Any] = written if isinstance(written, list) else [written]
    found: list[Issuer] = []
    faults: list[str] = []
    for number, entry in enumerate(entries, 1):
        try:
            found.append(_issuer(entry))
        except _Fault as fault:
            faults.append(f"{_SETTING}, entry {number}: {fault}")
    for what, values in (("name", [one.name for one in found]), ("issuer", [one.issuer for one in found])):
        if len(set(values)) < len(values):
            faults.append(f"{_SETTING}: two entries have the same {what}.")
    if any(not one.scoped for one in found) and (not external or len(found) > 1):
        faults.append(f"{_SETTING}: scoped false is for the only issuer of a server with PAYGRES_AUTH=external.")
    return tuple(found), faults


def _issuer(entry: Any) -> Issuer:
    if not isinstance(entry, dict):
        raise _Fault("it must be an object.")
    unknown = [str(key) for key in entry if key not in _FIELDS]
    if unknown:
        raise _Fault(f"unknown {', '.join(unknown)}; it may have {', '.join(_FIELDS)}.")
    name = _text(entry, "name")
    if _NAME.fullmatch(name) is None or name == "local":
        raise _Fault("name must be short (a-z, 0-9, -), and not local, which are our admins.")
    if ("jwksUrl" in entry) == ("jwks" in entry):
        raise _Fault("it needs jwksUrl or jwks, one of them.")
    scoped = entry.get("scoped", True)
    if not isinstance(scoped, bool):
        raise _Fault("scoped must be true or false.")
    return Issuer(
        name=name,
        issuer=_text(entry, "issuer"),
        jwks_url=_url(_text(entry, "jwksUrl")) if "jwksUrl" in entry else None,
        jwks=_document(entry["jwks"]) if "jwks" in entry else (),
        audience=_texts(entry, "audience", ()),
        algorithms=_algorithms(_texts(entry, "algorithms", _DEFAULT)),
        subject_claim=_text(entry, "subjectClaim") if "subjectClaim" in entry else "sub",
        scoped=scoped,
    )


def _text(entry: Mapping[str, Any], field: str) -> str:
    value = entry.get(field)
    if not isinstance(value, str) or not value:
        raise _Fault(f"{field} must be a text.")
    return value


def _texts(entry: Mapping[str, Any], field: str, default: tuple[str, ...]) -> tuple[str, ...]:
    value = entry.get(field, list(default))
    values: list[Any] = [value] if isinstance(value, str) else value if isinstance(value, list) else [None]
    if not all(isinstance(one, str) and one for one in values) or (field in entry and not values):
        raise _Fault(f"{field} must be a text or a list of them.")
    return tuple(values)


def _algorithms(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in _ALL:
            raise _Fault(f"algorithms may have {', '.join(_ALL)}.")
    return names


def _url(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        usable = usable and bool(parts.hostname) and not parts.username
    except ValueError:
        usable = False
    if not usable:
        raise _Fault("jwksUrl must start with https:// (http:// on this machine only).")
    return url


def _document(jwks: Any) -> tuple[Mapping[str, Any], ...]:
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) for key in keys):
        raise _Fault('jwks must be {"keys": […]} with public keys.')
    if any(key.get("kty") not in ALGORITHMS or "d" in key for key in keys):
        raise _Fault("jwks must hold public keys only, of kty RSA, EC or OKP.")
    return tuple(keys)
