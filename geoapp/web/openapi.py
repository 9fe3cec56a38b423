"""The API as a document for programs (OpenAPI 3.0) and as a page for people, both made from ``contract``."""

import re
from typing import Any

from flask import Blueprint, Response, current_app

from geoapp import __version__
from geoapp.web import contract, page
from geoapp.web.api import json_answer
from geoapp.web.contract import Operation, Schema

blueprint = Blueprint("openapi", __name__)
FOUND = 302
_KEY = {"useful": (401, 429), "needed": (401, 429)}


@blueprint.get("/api/openapi.json")
def for_programs() -> Response:
    return json_answer(_document())


@blueprint.get("/developers")
def for_people() -> Response:
    found = page.choices()
    document = _document()
    operations = [
        {"method": method.upper(), "path": path, **shape}
        for path, methods in document["paths"].items()
        for method, shape in methods.items()
    ]
    return page.render("developers.html", found, operations=operations, schemas=document["components"]["schemas"])


def _document() -> Schema:
    found = page.choices()
    district = found.district.say(page.lang()) if found.district else ""
    rules = current_app.url_map.iter_rules()
    return document(rules, title=page.site_title(district), version=__version__, say=page.say)


def document(rules: Any, *, title: str, version: str, say: Any) -> Schema:
    """The OpenAPI 3.0 document; ``rules`` are Flask's, so an operation and its address cannot fall apart."""
    paths: dict[str, Schema] = {}
    for rule in sorted(rules, key=lambda one: one.rule):
        if operation := contract.OPERATIONS.get(rule.endpoint):
            (method,) = rule.methods - {"HEAD", "OPTIONS"}
            address = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
            paths.setdefault(address, {})[method.lower()] = _operation(rule.endpoint, operation, say)
    return {
        "openapi": "3.0.3",
        "info": {"title": title, "version": version, "description": say("api.about")},
        "paths": paths,
        "components": {
            "schemas": contract.SCHEMAS,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": say("api.key")}},
        },
    }


def _operation(name: str, one: Operation, say: Any) -> Schema:
    answers = {str(status): _answer(one.media, schema, status, say) for status, schema in one.answers.items()}
    for status in sorted({400, *one.errors, *_KEY.get(one.key, ()), *((413, 415) if one.body else ())}):
        answers[str(status)] = _answer("application/json", "Error", status, say)
    shape: Schema = {
        "operationId": name.replace(".", "_"),
        "summary": say(f"api.operation.{name.replace('.', '_')}"),
        "parameters": [parameter.shape() for parameter in (*one.parameters, contract.LANG)],
        "responses": answers,
    }
    if one.key != "useless":
        shape["security"] = [{"key": []}] if one.key == "needed" else [{}, {"key": []}]
    if one.body:
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{one.body}"}}}
        shape["requestBody"] = {"required": bool(contract.SCHEMAS[one.body].get("required")), "content": content}
    if one.upload:
        shape["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": contract.UPLOAD}}}
    return shape


def _answer(media: str, schema: str, status: int, say: Any) -> Schema:
    if status == FOUND:
        return {"description": say("api.status.302")}
    shape = {"$ref": f"#/components/schemas/{schema}"} if schema else {"type": "string"}
    return {"description": say(f"api.status.{status}"), "content": {media: {"schema": shape}}}
