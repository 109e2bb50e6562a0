"""GET /openapi.json: OpenAPI 3.1 from the routes' own table and the models of their bodies and answers."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema
from starlette.requests import Request

from paygres import __version__
from paygres.server.flows.requests.fields import Body
from paygres.server.http.documented import Access, Documented
from paygres.server.http.shapes.errors import Error
from paygres.server.http.wire import Json

_REF = "#/components/schemas/{model}"
_TITLES = {
    400: "The request is wrong",
    401: "No credential, or one that does not hold",
    402: "Stripe declined the payment method",
    403: "This caller may not do this",
    404: "Not found",
    409: "It is there already, or the idempotency key belongs to another request",
    413: "The body is larger than 1 MB",
    429: "Too many requests; see Retry-After",
    500: "Our fault, quote the requestId; or with UPSTREAM_FAILURE, Stripe's",
    502: "Stripe refused the request or could not be reached",
    503: "Not now; see Retry-After",
}
_SECURITY: dict[Access, list[dict[str, list[str]]]] = {
    "public": [],
    "runtime": [{"bearer": []}],
    "admin": [{"bearer": []}, {"apiKey": []}],
    "stripe": [{"stripeSignature": []}],
}
_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A user's or admin's token, an API key (ik_…) or the anonymous key (anon_…)",
    },
    "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "stripeSignature": {"type": "apiKey", "in": "header", "name": "stripe-signature"},
}


def openapi_route(documented: Sequence[Documented]) -> Documented:
    """The route of the document itself, which lists itself too."""

    @cache
    def document() -> Json:
        return Json(describe([*documented, route]))

    async def openapi(request: Request) -> Json:
        return document()

    route = Documented("GET", "/openapi.json", openapi, "This document", "public", dict[str, Any], extension=True)
    return route


def describe(documented: Sequence[Documented]) -> dict[str, Any]:
    """The whole document as JSON data."""
    answers = [TypeAdapter(one.answer) for one in documented]
    answer_schemas, definitions = TypeAdapter.json_schemas(
        [
            ("error", "serialization", TypeAdapter(Error)),
            *((str(n), "serialization", adapter) for n, adapter in enumerate(answers)),
        ],
        ref_template=_REF,
    )
    bodies = dict.fromkeys(one.body for one in documented if one.body is not None)
    body_schemas, body_definitions = models_json_schema([(body, "validation") for body in bodies], ref_template=_REF)
    schemas = {**definitions.get("$defs", {}), **body_definitions.get("$defs", {})}
    paths: dict[str, dict[str, Any]] = {}
    for number, one in enumerate(documented):
        body = body_schemas[(one.body, "validation")] if one.body is not None else None
        answer = answer_schemas[(str(number), "serialization")]
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, answer, body)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Paygres", "version": __version__, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {"schemas": _without_null_defaults(schemas), "securitySchemes": _SCHEMES},
    }


def _operation(one: Documented, answer: dict[str, Any], body: dict[str, Any] | None) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{one.method.lower()}_{re.sub(r'[^a-z0-9]+', '_', one.path.lower()).strip('_')}",
        "summary": one.summary,
        "security": _SECURITY[one.access],
        "responses": {
            str(one.status): {
                "description": "Done",
                "content": {
                    "application/json": {"schema": answer},
                    **{media: {"schema": {"type": "string"}} for media in one.also},
                },
            },
            **{
                str(status): {
                    "description": _TITLES[status],
                    "content": {
                        "application/json": {
                            "schema": answer if one.path == "/readyz" else {"$ref": _REF.format(model="Error")}
                        }
                    },
                }
                # What Stripe answers itself is passed on with its own status (contract 1.7).
                for status in (*one.errors, *((500,) if 502 in one.errors else ()))
            },
        },
    }
    if one.extension or one.path.startswith("/api/paygres"):
        operation["x-paygres-extension"] = True
    parameters = [_parameter(name) for name in re.findall(r"{(\w+)}", one.path)]
    if one.query is not None:
        parameters += _query_parameters(one.query)
    if parameters:
        operation["parameters"] = parameters
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    if one.access == "stripe":
        event = {"type": "object", "description": "An event, exactly as Stripe sent it"}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": event}}}
    return operation


def _parameter(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "minLength": 1}
    if name == "environment":
        schema = {"type": "string", "enum": ["test", "live"]}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(query: type[Body]) -> list[dict[str, Any]]:
    schema = _without_null_defaults(query.model_json_schema())
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": wanted}
        for name, wanted in schema.get("properties", {}).items()
    ]


def _without_null_defaults(schema: Any) -> Any:
    """An optional field's default is absence, which JSON Schema does not call null."""
    if isinstance(schema, dict):
        return {
            key: _without_null_defaults(value)
            for key, value in schema.items()
            if not (key == "default" and value is None)
        }
    if isinstance(schema, list):
        return [_without_null_defaults(value) for value in schema]
    return schema
