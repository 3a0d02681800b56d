"""Compares answers with an OpenAPI 3.1 document, by a JSON Schema validator that is not ours.

Usage: openapi_check.py DOCUMENT < ANSWERS

ANSWERS is a JSON list of {"name", "method", "path", "status", "kind", "body"}. What does not agree is printed, one line
each; the exit code is 1 then. A refusal of a path or method that the document has not must be a problem all the same.
"""

import json
import sys

import jsonschema_rs

PROBLEM = "application/problem+json"


def operation(document, method, path):
    """The operation of a request; of two paths that match, the one with fewer parameters."""
    parts = path.split("?")[0].split("/")

    def matches(template):
        words = template.split("/")
        return len(words) == len(parts) and all(
            word.startswith("{") or word == part for word, part in zip(words, parts)
        )

    found = [path for path, item in document["paths"].items() if matches(path) and method.lower() in item]
    found.sort(key=lambda path: path.count("{"))
    return document["paths"][found[0]][method.lower()] if found else None


def resolved(document, value):
    while "$ref" in value:
        for part in value["$ref"].lstrip("#/").split("/"):
            document_part = document if part == "components" else document_part
            value = document_part = document_part[part]
    return value


def faults(document, answer):
    """What is wrong with an answer."""
    status, kind = str(answer["status"]), answer["kind"]
    asked = operation(document, answer["method"], answer["path"])
    if asked is None:
        if status not in ("404", "405", "401", "403") or kind != PROBLEM:
            yield f"{status} {kind} of a path or method that the document has not"
            return
        schema = {"$ref": "#/components/schemas/Problem"}
    else:
        if status not in asked["responses"]:
            yield f"status {status} is not in the document"
            return
        content = resolved(document, asked["responses"][status]).get("content", {})
        if kind is None:
            if content:
                yield f"no body; the document says {', '.join(content)}"
            return
        if kind not in content:
            yield f"media type {kind} is not in the document: {', '.join(content) or 'no body'}"
            return
        schema = content[kind]["schema"]
    if not kind.endswith("json"):
        return
    schema = {"components": document["components"], **schema}
    validator = jsonschema_rs.Draft202012Validator(schema)
    for error in validator.iter_errors(answer["body"]):
        place = "/".join(str(part) for part in error.instance_path)
        yield f"{place}: {error.message[:300]}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        document = json.load(file)
    wrong = 0
    for answer in json.load(sys.stdin):
        for fault in faults(document, answer):
            wrong += 1
            print(f"{answer['name']}: {answer['method']} {answer['path']}: {fault}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
