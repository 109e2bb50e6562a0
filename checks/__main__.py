"""`python -m checks`: one line for each broken rule, exit code 1 when there is any."""

import sys

from checks import code_rules, name_rules, test_rules
from checks.sources import ROOT, read


def main() -> int:
    """Runs every rule over src and tests; modules worth a second look are named without failing."""
    code = read("src/paygres")
    broken = [
        *name_rules.banned_names(code),
        *name_rules.missing_docstrings(code),
        *name_rules.too_long(code),
        *code_rules.stripe_inside_a_transaction(code),
        *code_rules.acquire_outside_db(code),
        *test_rules.skips_and_mocks(read("tests")),
    ]
    for line in sorted(broken):
        print(line)
    for source in code:
        if name_rules.REVIEW < source.lines <= name_rules.LIMIT:
            print(f"note: {source.path.relative_to(ROOT)} has {source.lines} lines; is it two rooms?")
    return 1 if broken else 0


sys.exit(main())
