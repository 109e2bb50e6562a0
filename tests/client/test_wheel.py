"""The wheel with httpx2 and pydantic and nothing else: all of the SDK imports and works."""

import re
import subprocess
import sys
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.client.scripted import scripted

ROOT = Path(__file__).resolve().parents[2]
BASE = ("httpx2", "pydantic")
USE = """
import sys, importlib, pkgutil
sys.path[:0] = [{site!r}]
import paygres, paygres.client
for found in pkgutil.walk_packages(paygres.client.__path__, "paygres.client."):
    importlib.import_module(found.name)
from paygres import *
with create_client({url!r}) as client:
    made = client.payments.stripe.create_checkout_session("test", mode="payment",
        line_items=[dict(price_id="price_1Example")], success_url="https://a.example.com", cancel_url="https://a.example.com")
print(made.checkout_session.status, paygres.__file__)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the built wheel and links to what it depends on, from metadata."""
    place = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(place)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [wheel] = place.glob("*.whl")
    folder = place / "site"
    zipfile.ZipFile(wheel).extractall(folder)
    for one in needed():
        for top in {file.parts[0] for file in one.files or () if not file.parts[0].startswith("..")}:
            source = Path(str(one.locate_file(top)))
            if source.exists() and top != "__pycache__" and not (folder / top).exists():
                (folder / top).symlink_to(source)
    return folder


def needed() -> list[Distribution]:
    """What the base dependencies pull in, without extras."""
    found: dict[str, Distribution] = {}
    left = list(BASE)
    while left:
        name = left.pop()
        if name in found:
            continue
        found[name] = one = distribution(name)
        for text in one.requires or ():
            wanted = Requirement(text)
            if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
                left.append(re.sub(r"[-_.]+", "-", wanted.name).lower())
    return list(found.values())


def test_the_wheel_says_what_it_needs(site: Path) -> None:
    [metadata] = site.glob("paygres-*.dist-info/METADATA")
    wanted = [
        Requirement(line[15:]) for line in metadata.read_text().splitlines() if line.startswith("Requires-Dist: ")
    ]
    assert {one.name for one in wanted if one.marker is None} == set(BASE)
    assert (site / "paygres" / "py.typed").is_file()


def test_the_sdk_works_with_its_base_dependencies_alone(site: Path) -> None:
    with scripted() as server:
        code = USE.format(site=str(site), url=server.url)
        ran = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == ["open", str(site / "paygres" / "__init__.py")]
