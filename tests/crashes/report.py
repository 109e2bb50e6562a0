"""What a run has to say: figures, coverage, and, when something is wrong, the seed and who died when."""

from tests.crashes.run import Report


def told(report: Report, *, history: bool) -> str:
    """Several lines of text."""
    storm = report.storm
    lines = [f"seed {report.seed}: {len(storm.history)} kills, {len(storm.hits)} of {len(storm.targets)} targets hit"]
    lines += [f"  {name}: {value}" for name, value in report.figures.items()]
    if storm.missed:
        lines += ["not hit:", *(f"  {one} (came {storm.times_seen(one)} times)" for one in storm.missed)]
    if history:
        lines += ["kills:", *(f"  {one}" for one in storm.history)]
    if report.faults:
        lines += [f"WRONG ({len(report.faults)}), seed {report.seed}:", *(f"  {one}" for one in report.faults)]
    return "\n".join(lines)
