#!/usr/bin/env python3
"""Checks an export of Umpire's record without any of Umpire's code: Python's standard library, and openssl for the signatures.

    verify_export.py EXPORT.ndjson JWKS.json

docs/audit.md says what the lines mean. Prints what it checked and exits with 0, or says what is wrong, with its line, and exits with 1.
"""
import base64
import datetime
import hashlib
import json
import re
import subprocess
import sys
import tempfile

ZERO = "0" * 64
SALT = re.compile("[0-9a-f]{32}")
# The members of each kind of line, all of them and no other: what nobody checks has no place in an export.
LINES = {
    "export": {"jws"},
    "keys": {"keys"},
    "checkpoint": {"jws"},
    "log": {"number", "at", "entry_kind", "entry", "salt", "digest", "hash"},
    "chain": {"request_id", "after_seq", "after_hash", "seq", "hash"},
    "event": {"seq", "type", "occurred_at", "actor", "actor_salt", "actor_digest", "data", "data_salt", "data_digest", "hash"},
}
ED25519_PREFIX = bytes.fromhex("302a300506032b6570032100")  # DER of an Ed25519 public key (RFC 8410), before its 32 bytes


class Wrong(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Wrong(what)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def unbase64url(text):
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    need(base64.urlsafe_b64encode(data).decode().rstrip("=") == text, "this is not base64url, or not spelt as it should be")
    return data


def salted_digest(salt, text):
    """Of a salt of 16 bytes: with one of any length, bytes could move between salt and text."""
    need(SALT.fullmatch(salt), "a salt has 16 bytes")
    return sha256(bytes.fromhex(salt), text.encode()).hex()


def time_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def canonical_number(number):
    """A whole number as `<digits>e<exponent>` without outer zeros; zero is `0`."""
    if number == 0:
        return "0"
    digits = str(number)
    bare = digits.rstrip("0")
    return f"{bare}e{len(digits) - len(bare)}"


def canonical(members):
    """JSON with sorted members and no spaces; the members here are texts and whole numbers."""
    texts = (
        json.dumps(name) + ":" + (canonical_number(value) if isinstance(value, int) else json.dumps(value, ensure_ascii=False))
        for name, value in sorted(members.items())
    )
    # JSON.stringify leaves U+007F as it is, and so does this; both escape what lies below U+0020 alike.
    return ("{" + ",".join(texts) + "}").encode()


class Keys:
    def __init__(self, jwks):
        self.files = {}
        for key in jwks["keys"]:
            if key.get("crv") != "Ed25519":
                continue
            thumbprint = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": key["x"]}, separators=(",", ":")).encode()
            kid = base64.urlsafe_b64encode(sha256(thumbprint)).decode().rstrip("=")
            pem = tempfile.NamedTemporaryFile(suffix=".pem")
            pem.write(b"-----BEGIN PUBLIC KEY-----\n" + base64.b64encode(ED25519_PREFIX + unbase64url(key["x"])) + b"\n-----END PUBLIC KEY-----\n")
            pem.flush()
            self.files[kid] = pem

    def open(self, jws, typ):
        """What was signed, once openssl has agreed with the signature."""
        header, payload, signature = jws.split(".")
        said = json.loads(unbase64url(header))
        need(said.get("alg") == "EdDSA" and said.get("typ") == typ, f"this is signed as {said.get('typ')}, not as {typ}")
        need(said.get("kid") in self.files, f"it is signed by {said.get('kid')}, which is not among the keys given")
        with tempfile.NamedTemporaryFile() as text, tempfile.NamedTemporaryFile() as mark:
            text.write(f"{header}.{payload}".encode())
            text.flush()
            mark.write(unbase64url(signature))
            mark.flush()
            command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", self.files[said["kid"]].name, "-rawin", "-in", text.name, "-sigfile", mark.name]
            need(subprocess.run(command, capture_output=True).returncode == 0, "its signature does not fit")
        opened = json.loads(unbase64url(payload))
        need(opened["v"] == 1, "it is of another version")
        return opened


def merkle_root(leaves):
    """RFC 6962, section 2.1, over leaf hashes."""
    if not leaves:
        return sha256()
    level = leaves
    while len(level) > 1:
        pairs = [sha256(b"\x01", level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return level[0]


class Export:
    def __init__(self, keys):
        self.keys = keys
        self.statement = None
        self.checkpoint = None  # the one whose chains are being read, and its digest
        self.digest = None
        self.leaves, self.sealed, self.last_id = [], 0, None
        self.chain = None  # id, seq and hash that it has come to, seq and hash of its head
        self.heads, self.gone, self.texts = {}, {}, {}
        self.log = (0, ZERO)
        self.counts = {"checkpoints": 0, "events": 0, "erased": 0}

    def take(self, line):
        kind = line["kind"]
        more = {"payload", "payload_salt"} if kind == "event" and line["type"] == "opened" else set()
        need(set(line) == LINES.get(kind, set()) | more | {"kind"}, f"a line of kind {kind} with other members than it has")
        if kind == "export":
            need(self.statement is None, "a second statement")
            self.statement = self.keys.open(line["jws"], "umpire-export")
            self.open_before()
        elif kind == "checkpoint":
            self.close_checkpoint()
            self.open_checkpoint(line["jws"])
        elif kind == "log":
            self.log_entry(line)
        elif kind == "chain":
            self.close_chain()
            self.open_chain(line)
        elif kind == "event":
            self.event(line)
        else:
            need(kind == "keys", f"no line of an export is a {kind}")

    def open_before(self):
        """An export that begins midway brings the checkpoint before its first, which the first names: it says where the log stood."""
        said = self.statement
        if (said["first"] or 1) == 1:
            need(said["before"] is None, "there is no checkpoint before the first of all")
            return
        before = self.keys.open(said["before"], "umpire-checkpoint")
        need((before["namespace"], before["number"]) == (said["namespace"], said["first"] - 1), "the checkpoint before the first is missing")
        need(said["since"] is not None and time_of(before["at"]) < time_of(said["since"]), "the export was to begin earlier")
        self.log = (before["log"]["number"], before["log"]["hash"])
        self.digest = sha256(said["before"].encode()).hex()

    def open_checkpoint(self, jws):
        need(self.statement is not None, "the export does not begin with its statement")
        said = self.keys.open(jws, "umpire-checkpoint")
        expected = self.statement["first"] if self.checkpoint is None else self.checkpoint["number"] + 1
        need(said["number"] == expected, f"checkpoint {said['number']} stands where {expected} should")
        need(said["namespace"] == self.statement["namespace"], "a checkpoint of another namespace")
        need(said["previous"] == self.digest, f"checkpoint {said['number']} does not name the one before it")
        self.checkpoint, self.digest = said, sha256(jws.encode()).hex()
        self.leaves, self.sealed, self.last_id = [], 0, None
        self.counts["checkpoints"] += 1

    def close_checkpoint(self):
        self.close_chain()
        said = self.checkpoint
        if said is None:
            return
        where = f"checkpoint {said['number']}"
        need(len(self.leaves) == said["chains"] and self.sealed == said["events"], f"{where} seals {said['chains']} chains and {said['events']} events, not these")
        need(merkle_root(self.leaves).hex() == said["root"], f"{where} sealed other chain heads")
        need((said["log"]["number"], said["log"]["hash"]) == self.log, f"{where} seals another log")

    def log_entry(self, line):
        need(salted_digest(line["salt"], line["entry"]) == line["digest"], f"log entry {line['number']} is not what was recorded")
        need(line["number"] == self.log[0] + 1, f"log entry {line['number']} follows {self.log[0]}")
        members = {"namespace": self.statement["namespace"], "number": line["number"], "at": line["at"], "kind": line["entry_kind"], "digest": line["digest"]}
        need(sha256(bytes.fromhex(self.log[1]), canonical(members)).hex() == line["hash"], f"log entry {line['number']} was changed")
        self.log = (line["number"], line["hash"])

    def open_chain(self, line):
        name, after = line["request_id"], (line["after_seq"], line["after_hash"] or ZERO)
        if self.last_id is not None:
            need(self.last_id.encode() < name.encode(), f"{name!r} is out of order")
        self.last_id = name
        known = self.heads.get(name)
        need(known is None or known == after, f"{name!r} goes on elsewhere than it ended")
        need(known is not None or after[0] == 0 or self.statement["first"] > 1, f"the beginning of {name!r} is missing")
        need(line["seq"] > after[0], f"{name!r} brings no event")
        self.leaves.append(sha256(b"\x00", f"{after[0]}\n{line['seq']}\n{line['hash']}\n{name}".encode()))
        self.sealed += line["seq"] - after[0]
        self.chain = {"id": name, "at": after, "head": (line["seq"], line["hash"])}

    def close_chain(self):
        if self.chain is not None:
            need(self.chain["at"] == self.chain["head"], f"{self.chain['id']!r} does not end at its head")
            self.heads[self.chain["id"]] = self.chain["head"]
        self.chain = None

    def event(self, line):
        need(self.chain is not None, "an event without a chain")
        name, (seq, before) = self.chain["id"], self.chain["at"]
        where = f"{name!r}, event {line['seq']}"
        need(line["seq"] == seq + 1, f"{where} follows event {seq}")
        members = {part: line[part] for part in ("seq", "type", "occurred_at", "actor_digest", "data_digest")}
        members.update(namespace=self.statement["namespace"], request_id=name)
        need(sha256(bytes.fromhex(before), canonical(members)).hex() == line["hash"], f"{where} was changed")
        self.chain["at"] = (line["seq"], line["hash"])
        self.counts["events"] += 1
        gone = self.gone.setdefault(name, set())
        for part in ("actor", "data"):
            if line[part] is None or line[part + "_salt"] is None:
                gone.add(line["seq"])
                if line[part] is not None:
                    self.texts.setdefault(name, set()).add(line["seq"])
            else:
                need(salted_digest(line[part + "_salt"], line[part]) == line[part + "_digest"], f"{where}: its {part} is not what was recorded")
        if line["type"] == "opened":
            self.payload(line, where, gone)
        if line["type"] == "erased" and line["data_salt"] is not None:
            self.erasure(json.loads(line["data"])["erasure"], line["seq"], name)

    def payload(self, line, where, gone):
        if line["payload"] is None:
            gone.add(0)
            return
        digest = salted_digest(line["payload_salt"], line["payload"])
        if line["data_salt"] is None:
            gone.add(("payload", digest))  # vouched for by the erasure that changed the data
        else:
            need(json.loads(line["data"])["payload_digest"] == digest, f"{where}: its payload is not what was recorded")

    def erasure(self, said, seq, name):
        left = said["events"] == "all" and [one for one in self.texts.get(name, ()) if one < seq]
        need(not left, f"{name!r}: a text stands where all was erased")
        for one in list(self.gone[name]):
            if one == 0:
                covered = said["payload"]
            elif isinstance(one, tuple):
                covered = said.get("payload_digest") == one[1]
            else:
                covered = one < seq and (said["events"] == "all" or one in said["events"])
            if covered:
                self.gone[name].discard(one)
                self.counts["erased"] += isinstance(one, int) and one > 0

    def finish(self):
        need(self.statement is not None, "the export does not begin with its statement")
        self.close_checkpoint()
        reached = self.checkpoint["number"] if self.checkpoint else None
        need((reached, self.digest) == (self.statement["last"], self.statement["last_digest"]), f"the export ends with checkpoint {reached}; it should reach {self.statement['last']}")
        # Cut off at a time, an export may lack the erasures that came later: check one that reaches the present.
        for name, gone in self.gone.items():
            need(not gone, f"{name!r}: content is gone, and no erasure on record here says so")
        if self.checkpoint is not None:
            until, at = self.statement["until"], time_of(self.checkpoint["at"])
            reached_all = time_of(self.statement["at"]) - at <= datetime.timedelta(minutes=10)
            need(reached_all or (until is not None and at >= time_of(until)), "the export ends long before it was made")


def main(export, jwks):
    with open(jwks, encoding="utf-8") as file:
        check = Export(Keys(json.load(file)))
    number = 0
    try:
        with open(export, encoding="utf-8", newline="\n") as lines:
            for number, line in enumerate(lines, 1):
                check.take(json.loads(line))
        check.finish()
    except (Wrong, KeyError, TypeError, ValueError, AttributeError) as wrong:
        print(f"NOT VERIFIED: line {number}: {wrong}")
        return 1
    print(f"verified: namespace {check.statement['namespace']}, {len(check.heads)} chains, " + ", ".join(f"{count} {what}" for what, count in check.counts.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
