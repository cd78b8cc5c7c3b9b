"""Deterministic ids and digests of Umpire's contract, with Python's standard library alone.

    python3 umpire_ids.py FILE

prints one JSON object for each line of FILE (a JSON document): the same as `fingerprints.js` of this package. Import it to
compute ids and digests in a producer.
"""

import base64
import hashlib
import json
import re
import sys
import uuid

UMPIRE_NAMESPACE = uuid.UUID("029c0f1a-f75f-5fb5-86a0-281fd597d53c")

NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?\Z")

PROCESSING_TIME = {"members": {"processing_time_ms": True}}
CONTENT_OMISSIONS = {
    "members": {
        "created_at": True,
        "agent_decisions": {"items": PROCESSING_TIME},
        "metadata": PROCESSING_TIME,
    }
}
ID_OMISSIONS = {"members": {**CONTENT_OMISSIONS["members"], "request_id": True}}


class Number(str):
    """A JSON number by its source text: nothing of it is rounded."""


def refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


def read_json(text):
    """Reads JSON with numbers kept as text; of duplicate members the last wins."""
    return json.loads(text, parse_float=Number, parse_int=Number, parse_constant=refuse_constant)


def canonical_number(text):
    """[-]<digits>e<exp> without outer zeros; zero is 0."""
    sign, integer, fraction, exponent = NUMBER.match(text).groups()
    fraction = fraction or ""
    digits = (integer + fraction).lstrip("0")
    if not digits:
        return "0"
    significant = digits.rstrip("0")
    power = decimal(exponent or "0") + len(digits) - len(significant) - len(fraction)
    return f"{sign}{significant}e{decimal_text(power)}"


def decimal(text):
    """int() refuses texts beyond a few thousand digits; an exponent may be longer, so go piecewise."""
    negative = text.startswith("-")
    value = 0
    digits = text.lstrip("+-")
    for start in range(0, len(digits), 1000):
        piece = digits[start : start + 1000]
        value = value * 10 ** len(piece) + int(piece)
    return -value if negative else value


def decimal_text(value):
    """The counterpart of decimal(): str() has the same limit."""
    if abs(value) < 10**1000:
        return str(value)
    pieces = []
    rest = abs(value)
    while rest:
        rest, piece = divmod(rest, 10**1000)
        pieces.append(str(piece).rjust(1000, "0"))
    return ("-" if value < 0 else "") + "".join(reversed(pieces)).lstrip("0")


def canonical_string(text):
    """RFC 8785's escapes; lone surrogates as lower-case \\uxxxx."""
    quoted = json.dumps(text, ensure_ascii=False)
    return re.sub("[\ud800-\udfff]", lambda match: f"\\u{ord(match.group()):04x}", quoted)


def utf16_units(text):
    return text.encode("utf-16-be", "surrogatepass")


def canonical_json(value, omit=None):
    """The digest form of a value that read_json made (or of plain values; floats by their shortest text)."""
    omit = omit or {}
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Number):
        return canonical_number(value)
    if isinstance(value, (int, float)):
        return canonical_number(repr(value))
    if isinstance(value, str):
        return canonical_string(value)
    if isinstance(value, list):
        return "[" + ",".join(canonical_json(item, omit.get("items")) for item in value) + "]"
    members = []
    for name in sorted(value, key=utf16_units):
        inner = omit.get("members", {}).get(name)
        if inner is not True:
            members.append(f"{canonical_string(name)}:{canonical_json(value[name], inner)}")
    return "{" + ",".join(members) + "}"


def uuid_v5(name):
    return str(uuid.uuid5(UMPIRE_NAMESPACE, name))


def hitl_request_id(request):
    """The id of a HITLRequest that build_hitl_request should have given it."""
    return uuid_v5(canonical_json(request, ID_OMISSIONS))


def human_review_request_id(task_id, evaluation_id):
    """The id of a deprecated HumanReviewRequest."""
    known = isinstance(evaluation_id, str) and not isinstance(evaluation_id, Number)
    return uuid_v5(canonical_json([task_id, evaluation_id if known else None]))


def content_digest(payload, interaction=None, hitl_request=True):
    """Hex SHA-256 by which Umpire tells "the same again" from "the same id, other content"."""
    body = canonical_json(payload, CONTENT_OMISSIONS if hitl_request else None)
    prefix = "{" if interaction is None else '{"interaction":' + canonical_json(interaction) + ","
    return hashlib.sha256(f'{prefix}"payload":{body}}}'.encode()).hexdigest()


def id_token(request_id):
    """base64url of the id; UnicodeEncodeError for a lone surrogate, which no id may hold."""
    return base64.urlsafe_b64encode(request_id.encode()).decode().rstrip("=")


def has_token(request_id):
    try:
        request_id.encode()
    except UnicodeEncodeError:
        return False
    return True


def text_member(value, name):
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, str) and not isinstance(found, Number) else None


def fingerprint(line):
    document = read_json(line)
    request_id = text_member(document, "request_id")
    task_id = text_member(document, "task_id")
    legacy_id = None
    if task_id is not None and "evaluation_result" in document:
        legacy_id = human_review_request_id(task_id, text_member(document["evaluation_result"], "request_id"))
    return {
        "id": hitl_request_id(document),
        "digest": content_digest(document),
        "whole": hashlib.sha256(
            f'{{"interaction":{canonical_json(document)},"payload":{canonical_json(document)}}}'.encode()
        ).hexdigest(),
        "token": id_token(request_id) if request_id is not None and has_token(request_id) else None,
        "legacy_id": legacy_id,
    }


def main(path):
    with open(path, encoding="utf-8", newline="\n") as lines:
        for line in lines:
            if line.strip():
                print(json.dumps(fingerprint(line), separators=(",", ":")))


if __name__ == "__main__":
    main(sys.argv[1])
