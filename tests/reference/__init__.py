"""Recorded answers of the reference, played again to this server.

`transcripts.jsonl` holds one exchange a line: `name`, an optional `note` about its starting state, the request and the
answer. They were recorded over HTTP against InsForge 2.3.1, whose payments API this server is compatible with, with a
stand-in for Stripe behind it. Times, tokens and our own ids are blanked (`<ts>`, `<jwt>`, `<uuid:7>`). A letter and a
number begin each name: A sign-in, B who may call what, C nothing configured, D keys, E products, F prices, G checkout,
H row-level security, I customer portal, J webhooks, K lists, L sync. Gaps in the numbers are in the recording.

What is compared, and what may differ, is in `comparison.py`; each difference that is meant is named in
`differences.py`; `starts.py` builds what a record begins with. Left out of the file: the recordings of the command
line (played again by tests/cli) and of the TypeScript SDK.
"""
