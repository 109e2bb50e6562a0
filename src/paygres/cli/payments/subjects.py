"""Options of the lists that can be narrowed to one billing subject."""

from paygres.cli import values
from paygres.cli.call import Call
from paygres.cli.options import Parser


def subject_options(parser: Parser) -> None:
    """--limit, --subject-type, --subject-id."""
    add = parser.add_argument
    add("--limit", type=values.limit, default=50, metavar="<count>", help="1 to 100 [50]")
    add("--subject-type", metavar="<type>", help="only this subject's; with --subject-id")
    add("--subject-id", metavar="<id>")


def subject_query(call: Call) -> dict[str, str]:
    """One of the two alone is sent as it is: the server says what is missing."""
    asked = call.options
    query = {"limit": str(asked.limit), "subjectType": asked.subject_type, "subjectId": asked.subject_id}
    return {name: value for name, value in query.items() if value is not None}


def subject(kind: str | None, ident: str | None) -> str | None:
    """`team:team_1`, or None without a subject."""
    return f"{kind}:{ident}" if kind and ident else None
