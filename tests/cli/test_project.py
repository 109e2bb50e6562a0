"""Where the server and the key come from, and the file that links a directory."""

import json
from pathlib import Path

import pytest

from paygres.cli.failure import Failure, Misused
from paygres.cli.project import Link, resolve
from tests.cli.canned_backend import CannedBackend
from tests.cli.running import Line, spawn
from tests.http.running import API_KEY

FILE = Path(".insforge/project.json")
HERE, THERE = "http://here.example.com", "https://there.example.com"


def save(**content: str) -> None:
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(content))


def test_link_writes_what_the_references_tools_read_and_keeps_what_they_wrote(nowhere: Path) -> None:
    save(project_id="oss-project", guard="true", oss_host="http://old.example.com", api_key="ik_old")
    Path(".gitignore").write_text("dist/")
    ran = spawn("link", "--api-base-url", "http://localhost:7130/", "--api-key", API_KEY, cwd=nowhere)
    assert (ran.code, ran.errors) == (0, "")
    assert json.loads(FILE.read_text()) == {
        "project_id": "fa4e0000-1234-5678-90ab-cd1234567890",
        "project_name": "oss-project",
        "org_id": "fa4e0001-1234-5678-90ab-cd1234567890",
        "appkey": "ossfkey",
        "region": "us-test",
        "guard": "true",
        "oss_host": "http://localhost:7130",
        "api_key": API_KEY,
    }
    assert FILE.stat().st_mode & 0o777 == 0o600
    assert Path(".gitignore").read_text() == "dist/\n.insforge/\n"


def test_link_needs_both_and_ignores_once(line: Line) -> None:
    Path(".gitignore").write_text("/.insforge/\n")
    assert line.here("link").code == 0  # the address and the key of every command will do
    assert Path(".gitignore").read_text() == "/.insforge/\n"
    assert json.loads(FILE.read_text())["oss_host"] == line.url
    for words in (("link",), ("link", "--api-base-url", HERE), ("link", "--api-base-url", "x", "--api-key", "ik_1")):
        assert spawn(*words).code == 64


@pytest.mark.parametrize("parent", [False, True])
def test_only_the_current_directory_links(backend: CannedBackend, nowhere: Path, parent: bool) -> None:
    save(oss_host=f"{backend.url}/", api_key=API_KEY)
    backend.say("GET", "/api/payments/stripe/status", {"connections": []})
    below = nowhere / "below"
    below.mkdir()
    ran = spawn("--json", "status", cwd=below if parent else nowhere)
    assert ran.code == (3 if parent else 0)
    assert len(backend.asked) == (0 if parent else 1)
    if parent:
        assert json.loads(ran.errors)["code"] == "NOT_LINKED"


def test_flags_win_over_the_environment_and_that_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    save(oss_host=HERE, api_key="ik_file")
    assert resolve(None, None) == Link(HERE, "ik_file")
    assert resolve(None, "ik_flag") == Link(HERE, "ik_flag")
    monkeypatch.setenv("INSFORGE_URL", f"{THERE}/")
    monkeypatch.setenv("INSFORGE_API_KEY", "ik_env")
    assert resolve(None, None) == Link(THERE, "ik_env")
    monkeypatch.setenv("PAYGRES_URL", HERE)
    monkeypatch.setenv("PAYGRES_ACCESS_TOKEN", "ik_ours")
    assert resolve(None, None) == Link(HERE, "ik_ours")
    assert resolve(THERE, "ik_flag") == Link(THERE, "ik_flag")


def test_a_key_is_never_sent_to_another_address_than_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    save(oss_host=HERE, api_key="ik_file")
    with pytest.raises(Failure) as refused:
        resolve(THERE, None)
    assert refused.value.exit_code == 3
    monkeypatch.setenv("PAYGRES_URL", "https://elsewhere.example.com")
    monkeypatch.setenv("PAYGRES_ACCESS_TOKEN", "ik_elsewhere")
    with pytest.raises(Failure):
        resolve(THERE, None)
    assert resolve(HERE, None) == Link(HERE, "ik_file")


@pytest.mark.parametrize(
    "text", ["localhost:7130", "ftp://x", "http://", "http://a b", "https://x?y", "http://x:port", "https://u:p@x"]
)
def test_an_address_must_be_one(text: str) -> None:
    with pytest.raises(Misused):
        resolve(text, "ik_1")


@pytest.mark.parametrize("text", ["{", "[]", '{"oss_host": 1}'])
def test_a_broken_file_is_told_and_not_repaired(text: str) -> None:
    save()
    FILE.write_text(text)
    with pytest.raises(Failure) as broken:
        resolve(None, None)
    assert broken.value.exit_code == 3
    assert FILE.read_text() == text


def test_a_link_does_not_show_its_key() -> None:
    assert "ik_" not in repr(Link(HERE, "ik_secret"))
