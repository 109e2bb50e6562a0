"""The judges are there, or the run says so: each of them starts and says its version."""

import os
import subprocess
import sys

from tests.judges import installed


def version(*command: str, **environment: str) -> str:
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=True, env={**os.environ, **environment}
    )
    return ended.stdout.strip()


def test_node_loads_stripes_library_from_the_judges_folder() -> None:
    script = "console.log(require(process.argv[1] + '/stripe/package.json').version)"
    assert version(installed.node(), "-e", script, str(installed.npm_packages())) == "23.1.0"


def test_the_cli_is_the_pinned_one() -> None:
    assert "1.52.0" in version(str(installed.stripe_cli()), "version", STRIPE_CLI_TELEMETRY_OPTOUT="1")


def test_both_python_libraries_are_what_they_are_called() -> None:
    for wanted in ("15.2.1", "16.1.0"):
        script = "import stripe; print(stripe.VERSION)"
        assert version(sys.executable, "-c", script, **installed.stripe_python(wanted)) == wanted


def test_a_browser_shows_a_page() -> None:
    with installed.browser() as browser:
        page = browser.new_page()
        page.set_content("<h1>Here</h1>")
        assert page.text_content("h1") == "Here"
