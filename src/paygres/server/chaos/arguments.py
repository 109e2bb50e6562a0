"""The options of `paygres chaos`. Apart from the rest: every command of the server builds its parser with them."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "--sql", nargs="+", action="extend", default=[], metavar="FILE", help="your migrations, in order"
    )
    parser.add_argument(
        "--setup", nargs="+", action="extend", default=[], metavar="FILE", help="SQL with rows: the order, the packs"
    )
    parser.add_argument(
        "--metadata",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=VALUE",
        help="the checkout's, as a buyer sends it",
    )
    parser.add_argument("--subject", metavar="TYPE:ID", help="who pays, such as user:u1")
    parser.add_argument("--price", metavar="ID=AMOUNT", help="what is bought once; minor units (price_1=2500)")
    parser.add_argument(
        "--plan", metavar="ID=AMOUNT", help="what is subscribed to; plays the histories of subscriptions"
    )
    parser.add_argument("--currency", default="usd")
    parser.add_argument(
        "--listeners", nargs="+", action="extend", default=[], metavar="MODULE", help="modules with a Payments object"
    )
    parser.add_argument(
        "--ignore",
        nargs="+",
        action="extend",
        default=[],
        metavar="TABLE",
        help="tables that are no state, such as logs (public.event_log)",
    )
    parser.add_argument(
        "--scenarios", nargs="+", action="extend", default=[], metavar="NAME", help="only these; `list` names them"
    )
    parser.add_argument(
        "--runs", type=int, metavar="N", help="permutations of each history (all up to 5 events, else 24)"
    )
    parser.add_argument("--seed", type=int, help="for the same permutations as an earlier run")
    parser.add_argument(
        "--on-server", action="store_true", help="make the throw-away databases on DATABASE_URL's server"
    )
    parser.add_argument("--strict", action="store_true", help="exit with 10 for warnings too")
    parser.add_argument("--json", action="store_true")
