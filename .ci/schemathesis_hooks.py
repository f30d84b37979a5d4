"""What schemathesis has to know about lines of JSON (application/x-ndjson) and merge patches."""

import json

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def as_lines(ctx, value):
    """A list is a line for each item; a text is sent as it is; all else is one line."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", errors="replace")
    items = value if isinstance(value, list) else [value]
    return "\n".join(json.dumps(item) for item in items).encode()


@schemathesis.serializer("application/merge-patch+json")
def as_patch(ctx, value):
    """A merge patch is JSON."""
    return value if isinstance(value, bytes) else json.dumps(value).encode()
