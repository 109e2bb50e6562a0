"""The Python SDK: checkouts and portals for users and guests (`create_client`), operators' work
(`create_admin_client`).

Needs httpx2 and pydantic, nothing of the server. Pure modules build requests and read answers; two thin shells, one
sync and one async, send them.
"""
