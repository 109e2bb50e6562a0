"""`paygres link`: says which server this directory belongs to, in a file that the reference's tools know too."""

from paygres.cli.call import Call, Command, Noun
from paygres.cli.failure import Misused
from paygres.cli.options import Parser
from paygres.cli.output import as_text
from paygres.cli.project import FILE, address_of, usable_key, write


def _options(parser: Parser) -> None:
    parser.add_argument("--api-base-url", metavar="<url>", help="the server's address, http://localhost:7130")
    parser.epilog = "--api-key is required. Nothing is sent: `paygres status` tries it."


def link(call: Call) -> None:
    """Writes the file; no request is made."""
    url, key = call.options.api_base_url or call.options.url, call.options.api_key
    if not url or not key:
        raise Misused(
            "Both --api-base-url and --api-key are needed.",
            next_actions="Try: paygres link --api-base-url http://localhost:7130 --api-key ik_…",
        )
    address = address_of(url)
    write(address, usable_key(key))
    if call.screen.json:
        print(as_text({"linked": True, "oss_host": address, "file": str(FILE)}))
        return
    call.screen.success(f"Linked to {address} ({FILE}).")
    call.screen.hint("Next: paygres status")


NOUN = Noun({"": Command("Link this directory to a server", link, _options)})
