"""Signs calls with Twilio's own RequestValidator.

On standard input: {"token": …, "cases": [{"url", "form": [[name, value], …] or null, "json": text or null}]}.
On standard output, for each case: {"url", "body", "signature"}: what Twilio would send. A case with JSON gets
the parameter bodySHA256 in its URL.
"""

import json
import sys
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator


class Form(dict):
    """A form whose names may repeat, as web frameworks give it to the validator."""

    def getlist(self, name):
        return self[name]


def signed(validator, case):
    url, form, text = case["url"], case["form"], case["json"]
    if text is not None:
        url += ("&" if "?" in url else "?") + "bodySHA256=" + validator.compute_hash(text)
        return {"url": url, "body": text, "signature": validator.compute_signature(url, {})}
    pairs = [(name, value) for name, value in form or []]
    params = Form()
    for name, value in pairs:
        params.setdefault(name, []).append(value)
    signature = validator.compute_signature(url, params)
    return {"url": url, "body": urlencode(pairs), "signature": signature}


asked = json.load(sys.stdin)
validator = RequestValidator(asked["token"])
json.dump([signed(validator, case) for case in asked["cases"]], sys.stdout)
