"""Values out of the environment: a text, a secret, a number, a choice, a URL. What is wrong is collected, one sentence
each, never with a secret's value."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

_PLACEHOLDER = re.compile(
    r"change[-_ ]?(?:me|this|it)|please[-_ ]?change|your[-_ ]?\w*[-_ ]?(?:secret|key|token|password)"
    r"|replace[-_ ]?(?:me|this|with)|placeholder|insert[-_ ].*here|\.\.\.|^<.*>$|^x{4,}$"
    r"|^(?:secret|password|admin|example|default|test|todo|none|null)$",
    re.IGNORECASE,
)


class Reading:
    """One pass over an environment. `secrets` are the names that may be given as files."""

    def __init__(self, environ: Mapping[str, str], secrets: tuple[str, ...]) -> None:
        self.environ = environ
        self.problems: list[str] = []
        self._secrets = secrets

    def text(self, name: str) -> str:
        """A setting's text, from NAME or, for secrets, from the file named by NAME_FILE; '' when unset."""
        value = self.environ.get(name, "").strip()
        path = self.environ.get(f"{name}_FILE", "").strip() if name in self._secrets else ""
        if not path:
            return value
        if value:
            self.problems.append(f"{name} and {name}_FILE are both set; keep one of them.")
            return value
        try:
            content = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            self.problems.append(f"{name}_FILE names {path}, which cannot be read: {reason}.")
            return ""
        if not content:
            self.problems.append(f"{name}_FILE names {path}, which is empty.")
        return content

    def secret(self, name: str, *, least: int = 1, required: bool = False) -> str:
        before = len(self.problems)
        value = self.text(name)
        if not value:
            if required and len(self.problems) == before:
                self.problems.append(f"{name} is not set; use a random value, e.g. `openssl rand -hex 32`.")
        elif _PLACEHOLDER.search(value):
            self.problems.append(f"{name} is a placeholder; use a random value, e.g. `openssl rand -hex 32`.")
        elif len(value) < least:
            self.problems.append(f"{name} is {len(value)} characters long; it needs at least {least}.")
        elif least >= 32 and len(set(value)) < 8:
            self.problems.append(f"{name} repeats a few characters; use `openssl rand -hex 32`.")
        return value

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        value = self.text(name)
        if not value:
            return default
        if not re.fullmatch(r"[0-9]{1,9}", value) or not least <= int(value) <= most:
            self.problems.append(f"{name} must be a whole number from {least} to {most}.")
            return default
        return int(value)

    def one_of(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name).lower() or default
        if value not in allowed:
            self.problems.append(f"{name} must be one of {', '.join(allowed)}.")
            return default
        return value

    def url(self, name: str, default: str, schemes: tuple[str, ...]) -> str:
        value = self.text(name)
        if not value:
            return default
        try:
            parts = urlsplit(value)
            usable = parts.scheme in schemes and (bool(parts.netloc) or parts.scheme.startswith("postgres"))
            _ = parts.port
        except ValueError:
            usable = False
        if not usable:
            self.problems.append(f"{name} must be a URL that starts with {schemes[0]}://.")
            return default
        return value
