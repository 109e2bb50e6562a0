"""`paygres sandbox`: the local Stripe, and what is said to one that runs."""

from paygres.cli.become import become

# The first words that speak to a running sandbox; anything else starts one.
COMMANDS = ("reset", "seed", "clock", "faults", "fail-next", "checkout", "events", "resend")


def run(arguments: list[str]) -> int:
    """Becomes `python -m paygres.sandbox`, or runs one command; returns its exit code."""
    if arguments and arguments[0] in COMMANDS:
        from paygres.cli import sandbox_commands  # httpx2, which a start does not need

        return sandbox_commands.run(arguments)
    become("paygres.sandbox", arguments[1:] if arguments[:1] == ["up"] else arguments)
