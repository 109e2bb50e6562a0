"""The recorded exchanges, and their requests with our own credentials and ids in place of the recorded ones."""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.http.running import ADMIN_PASSWORD, ANON_KEY, API_KEY, token

USER, USER2 = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
_ID = re.compile(r"<uuid:\d+>|[a-z]{2,}_[A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Record:
    """One exchange: what was asked, and the status and body of the recorded answer."""

    name: str
    request: Mapping[str, Any]
    status: int
    body: Any

    @property
    def number(self) -> str:
        """`G12` of `G12 wrong anon key`."""
        return self.name.split()[0]

    @property
    def delivered(self) -> bool:
        """A webhook of Stripe, to be signed anew."""
        return "stripe-signature" in self.request["headers"]

    def path(self, ids: Mapping[str, str]) -> str:
        return _with_ids(self.request["path"], ids)

    def content(self, ids: Mapping[str, str]) -> bytes | None:
        """The body as it goes over the wire; `ids` are recorded ids and ours in their place."""
        if "body" in self.request:
            return _with_ids(json.dumps(self.request["body"]), ids).encode()
        raw = self.request.get("body_raw")
        return None if raw is None else _with_ids(raw, ids).encode()

    def headers(self) -> dict[str, str]:
        """With our credentials of the same kind."""
        sent = {name: value for name, value in self.request["headers"].items() if name != "stripe-signature"}
        for name in ("authorization", "x-api-key"):
            for mark, credential in credentials().items():
                if mark in sent.get(name, ""):
                    sent[name] = sent[name].replace(mark, credential)
        return sent


def _record(line: Mapping[str, Any]) -> Record:
    return Record(line["name"], line["request"], line["response"]["status"], line["response"]["body"])


def _with_ids(text: str, ids: Mapping[str, str]) -> str:
    known = _ID.sub(lambda found: ids.get(found[0], found[0]), text)
    return known.replace("change-this-password", ADMIN_PASSWORD)  # which our server does not accept as one


def credentials() -> dict[str, str]:
    """Ours, by the mark that stands for each kind in the recording."""
    expires = int(time.time()) + 600
    return {
        "<anon>": ANON_KEY,
        "<apikey>": API_KEY,
        "<user>": token(sub=USER, email="user1@peer.example", role="authenticated", exp=expires),
        "<user2>": token(sub=USER2, email="user2@peer.example", role="authenticated", exp=expires),
        "<admin>": token(sub="local:admin", role="project_admin", exp=expires),
    }


def _load() -> list[Record]:
    lines = Path(__file__).with_name("transcripts.jsonl").read_text(encoding="utf-8").splitlines()
    return [_record(json.loads(line)) for line in lines]


# Every record by its number, in the order of the recording.
RECORDS = {record.number: record for record in _load()}
