"""From the words of a command line to the command, and from how it ends to an exit code."""

import importlib
import os
import sys
from argparse import Namespace

from paygres.cli import exit_codes, options
from paygres.cli.call import Call, Noun
from paygres.cli.failure import Failure, Misused
from paygres.cli.output import Screen
from paygres.cli.payments.nouns import ALSO, NOUNS, usage

_HELP = ("-h", "--help")


def run(arguments: list[str]) -> int:
    """Runs `[payments stripe] <noun> [<verb>] …`; options of every command may stand anywhere."""
    screen = Screen(json="--json" in arguments)  # until the options are read, which may fail
    try:
        everywhere, words = options.for_all().parse_known_args(arguments)
        screen = Screen(
            json=everywhere.json or everywhere.output == "json",
            plain=everywhere.output == "plain",
            color=everywhere.color,
            no_input=everywhere.no_input,
        )
        code = _find_and_run(arguments, words, everywhere, screen)
        sys.stdout.flush()
        return code
    except Failure as failure:
        return screen.fail(failure)
    except KeyError as missing:
        return screen.fail(
            Failure(f"The server's answer lacks {missing}. Is it of another version?", code="INVALID_ANSWER")
        )
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.OK
    except KeyboardInterrupt:
        return screen.fail(Failure("Interrupted.", exit_code=exit_codes.INTERRUPTED, code="INTERRUPTED"))


def _find_and_run(typed: list[str], words: list[str], everywhere: Namespace, screen: Screen) -> int:
    words = _after_stripe(words)
    if not words or words[0] in _HELP:
        print(f"usage: paygres payments stripe <command> [options]\n\n{usage()}\n\n{_ELSE}")
        return exit_codes.OK if words else exit_codes.USAGE
    name = ALSO.get(words[0], words[0])
    if name not in NOUNS:
        raise Misused(f"There is no command `{words[0]}`.", next_actions="Try: paygres --help")
    noun: Noun = importlib.import_module(NOUNS[name][0]).NOUN
    verb, rest = _verb(name, noun, words[1:])
    if verb is None:
        print(_help(name, noun))
        return exit_codes.OK if rest else exit_codes.USAGE
    command = noun.commands[verb]
    prog = f"paygres {name} {verb}".rstrip()
    parser = options.Parser(
        prog=prog,
        usage=" ".join(filter(None, (prog, command.takes, "[options]"))),
        description=command.line,
        parents=[options.for_all()],
    )
    command.options(parser)
    own = parser.parse_args(rest)
    call = Call(Namespace(**(vars(own) | vars(everywhere))), screen, typed, command.seconds)
    try:
        return command.run(call) or exit_codes.OK
    finally:
        call.close()


def _verb(name: str, noun: Noun, words: list[str]) -> tuple[str | None, list[str]]:
    """The verb, None for the noun's help, and the words after it."""
    first = words[0] if words else ""
    if "" in noun.commands:
        return "", words
    if first in noun.commands:
        return first, words[1:]
    if first in _HELP or (not words and noun.bare is None):
        return None, words
    if noun.bare is None or (words and not first.startswith("-")):
        raise Misused(f"There is no `{name} {first}`.", next_actions=f"Try: paygres {name} --help")
    return noun.bare, words


def _after_stripe(words: list[str]) -> list[str]:
    if words[:1] != ["payments"]:
        return words
    if words[1:2] == ["stripe"]:
        return words[2:]
    if len(words) == 1 or words[1] in _HELP:
        return words[1:]
    raise Misused(
        f"There is no payment company `{words[1]}` here, only stripe.",
        next_actions="Try: paygres payments stripe --help",
    )


def _help(name: str, noun: Noun) -> str:
    width = max(map(len, noun.commands))
    lines = "\n".join(f"  {verb:<{width}}  {command.line}" for verb, command in noun.commands.items())
    bare = f"\n`paygres {name}` alone is `{name} {noun.bare}`." if noun.bare else ""
    return f"usage: paygres {name} <verb> [options]\n\n{lines}\n{bare}\n`paygres {name} <verb> --help` explains one."


_ELSE = """`paygres <command>` is the same. `paygres <command> --help` explains one.
Exit codes: 0 done, 2 authentication, 3 not linked, 4 not found, 5 not allowed, 6 confirmation needed or declined,
7 conflict, 8 rejected, 9 Stripe refused, 10 problems found, 12 server unreachable, 64 wrong usage, 75 try later,
130 interrupted."""
