"""The fault dials: one table that says which there are, what they may be set to and what they mean, and the dials as
they are turned. request_faults.py and delivery_faults.py do what they say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from paygres.sandbox.answer_rules import AnswerRule, read_rules
from paygres.sandbox.dice import Dice

Kind = Literal["share", "seconds", "switch", "number", "list"]

ALLOWED: Mapping[Kind, str] = {
    "share": "a share, 0 to 1",
    "seconds": "a number of seconds, 0 to {most:g}",
    "switch": "true or false",
    "number": "a whole number, 0 to {most:g}",
    "list": "a list of rules, as JSON",
}
YES, NO = ("true", "on", "yes", "1"), ("false", "off", "no", "0")


@dataclass(frozen=True, slots=True)
class Dial:
    """`about`: what it disturbs. A dial at its `off` value does nothing."""

    name: str
    kind: Kind
    about: Literal["requests", "deliveries", "everything"]
    meaning: str
    most: float = 1.0
    off: Any = 0.0

    def allowed(self) -> str:
        return ALLOWED[self.kind].format(most=self.most)

    def read(self, value: Any) -> Any:
        """The value as the dial keeps it; raises ValueError with a sentence that says what is allowed."""
        if self.kind == "list":
            return read_rules(value)
        if self.kind == "switch":
            word = str(value).lower()
            if isinstance(value, bool | str) and word in (*YES, *NO):
                return word in YES
            raise self._wrong(value)
        try:
            number = float("x" if isinstance(value, bool) or not isinstance(value, int | float | str) else value)
        except ValueError:
            raise self._wrong(value) from None
        if not 0 <= number <= self.most or (self.kind == "number" and number != int(number)):
            raise self._wrong(value)
        return int(number) if self.kind == "number" else number

    def _wrong(self, value: Any) -> ValueError:
        return ValueError(f"`{self.name}` is {self.allowed()}, not {value!r}")


HOUR = 3600.0
DIALS: tuple[Dial, ...] = (
    Dial("latency", "seconds", "requests", "waits so long before the answer of each POST", HOUR),
    Dial("slow", "share", "requests", "so many answers come late, by `slow_for`; the work is done at once"),
    Dial("slow_start", "share", "requests", "so many requests are begun late, by `slow_for`"),
    Dial("slow_for", "seconds", "requests", "how late slow answers are", HOUR, 5.0),
    Dial("rate_limit", "share", "requests", "so many requests are refused with 429, whatever their rate"),
    Dial("error", "share", "requests", "so many requests are answered 500, and nothing is done"),
    Dial("error_after", "share", "requests", "so many requests are answered 500 although the work is done"),
    Dial("reset", "share", "requests", "so many connections are reset before the work"),
    Dial("reset_after", "share", "requests", "so many connections are reset after the work: its answer is lost"),
    Dial("reset_in_body", "share", "requests", "so many connections are reset in the middle of the answer"),
    Dial("truncate", "share", "requests", "so many answers end in the middle"),
    Dial("answers", "list", "requests", "rules for the next requests of a path", off=()),
    Dial("drop", "share", "deliveries", "so many tries do not arrive; they are made again when their turn comes"),
    Dial("lose", "share", "deliveries", "so many never arrive and are not tried again: only /v1/events knows of them"),
    Dial("duplicate", "share", "deliveries", "so many tries arrive twice at the same moment"),
    Dial("unheard", "share", "deliveries", "so many answers get lost on the way back: the delivery comes again later"),
    Dial("delay", "seconds", "deliveries", "the first try comes up to so much later, and others overtake it", HOUR),
    Dial("shuffle", "switch", "deliveries", "whatever is due goes out in any order", off=False),
    Dial("same_second", "seconds", "deliveries", "events within so many seconds get one `created`, the first's", HOUR),
    Dial(
        "wrong_signature",
        "share",
        "deliveries",
        "so many first tries are signed with another secret or an old timestamp; the next try is signed properly",
    ),
    Dial(
        "two_signatures",
        "switch",
        "deliveries",
        "each try carries a second v1, first in the header, as after a secret was rolled",
        off=False,
    ),
    Dial("seed", "number", "everything", "begins the dice of the dials anew", 2.0**63, 0),
)
BY_NAME: Mapping[str, Dial] = {dial.name: dial for dial in DIALS}


def find_dial(name: str) -> Dial:
    dial = BY_NAME.get(name)
    if dial is None:
        raise ValueError(f"there is no dial `{name}`; the dials are {', '.join(BY_NAME)}")
    return dial


def read_dial(text: str) -> tuple[str, Any]:
    """(name, value) of `name=value`; a switch may be its name alone. Raises ValueError with a sentence."""
    name, separator, value = text.strip().partition("=")
    dial = find_dial(name.strip())
    if dial.kind == "list":
        raise ValueError(f"`{name}` is {dial.allowed()}, and only /_sim/faults takes it")
    if not separator and dial.kind != "switch":
        raise ValueError(f"`{name}` needs a value: {dial.allowed()}")
    return dial.name, dial.read(value.strip() if separator else True)


def read_dials(text: str) -> dict[str, Any]:
    """The dials of `duplicate=0.5,shuffle`."""
    return dict(read_dial(one) for one in text.split(",") if one.strip())


class Faults:
    """The dials as they are turned."""

    def __init__(self, latency: float = 0.0) -> None:
        self._values: dict[str, Any] = {}
        self.rules: list[AnswerRule] = []
        self.disturbs_requests = self.disturbs_deliveries = False
        self._burst_began: dict[str, int] = {}
        self.turn_off()
        self.set({"latency": latency})

    def set(self, dials: Mapping[str, Any]) -> None:
        """Turns the dials that are named: all of them, or none and a ValueError."""
        read = {name: find_dial(name).read(value) for name, value in dials.items()}
        if "answers" in read:
            self.rules = read.pop("answers")
        self._values.update(read)
        if "seed" in read:
            self.dice = Dice(read["seed"])
        self.disturbs_requests = bool(self.rules) or self._turned("requests")
        self.disturbs_deliveries = self._turned("deliveries")

    def turn_off(self) -> None:
        """All dials at their off values, the seed at 0."""
        self._values = {dial.name: dial.off for dial in DIALS if dial.kind != "list"}
        self.rules = []
        self.dice = Dice(0)
        self.disturbs_requests = self.disturbs_deliveries = False

    def shown(self) -> dict[str, Any]:
        """Every dial and where it stands."""
        rules = [rule.shown() for rule in self.rules]
        return {dial.name: rules if dial.kind == "list" else self._values[dial.name] for dial in DIALS}

    def amount(self, name: str) -> float:
        """A dial's share or seconds; a switch is 0 or 1."""
        return self._values[name]

    def strikes(self, dial: str, name: str) -> bool:
        """Whether the fault of that dial happens to what has that name."""
        share = self._values[dial]
        return share > 0 and self.dice.throw(dial, name) < share

    def event_second(self, account: str, now: int) -> int:
        """The `created` of an event that happens now."""
        length = self._values["same_second"]
        if not length:
            return now
        began = self._burst_began.get(account)
        if began is None or not 0 <= now - began < length:
            began = self._burst_began[account] = now
        return began

    def _turned(self, about: str) -> bool:
        return any(self._values[dial.name] != dial.off for dial in DIALS if dial.about == about and dial.kind != "list")
