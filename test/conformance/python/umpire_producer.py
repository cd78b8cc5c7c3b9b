"""What a producer in Python needs to hand escalations to Umpire: the contract's messages, by HTTP and over JetStream.

Standard library only. A HITLRequest may be a dict, the JSON text that a framework wrote (it is sent byte for byte), or a model of
pydantic, version 1 or 2, as the upstream framework builds.
"""

import base64
import hashlib
import json
import random
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

from umpire_nats import Nats, NatsError

UMPIRE_NAMESPACE = uuid.UUID("029c0f1a-f75f-5fb5-86a0-281fd597d53c")
REASONS = ("hard_disagreement", "low_confidence", "inconsistent_evidence", "custom_rule")
# Statuses after which the same request may do better later.
PASSING = (429, 502, 503, 504)


class Refused(Exception):
    """Umpire said no: `code`, the fields at fault in `errors`, the whole answer in `problem`."""

    def __init__(self, problem):
        super().__init__(f"{problem.get('code')}: {problem.get('detail')}")
        self.code = problem.get("code")
        self.errors = problem.get("errors", [])
        self.problem = problem


def request_text(request):
    """The JSON text of a HITLRequest in any of its forms. `json.dumps(model.dict())` would fail on the time."""
    if isinstance(request, str):
        return request.strip()
    for name in ("model_dump_json", "json"):
        dump = getattr(request, name, None)
        if callable(dump):
            return dump()
    return json.dumps(request, ensure_ascii=False, separators=(",", ":"))


def escalation_message(request, interaction=None):
    """The contract's queue message around a HITLRequest, and its reason."""
    text = request_text(request)
    reason = json.loads(text).get("escalation_reason")
    if reason not in REASONS:
        raise ValueError(f"escalation_reason must be one of {', '.join(REASONS)}, not {reason!r}")
    block = "" if interaction is None else f',"interaction":{json.dumps(interaction, ensure_ascii=False)}'
    return f'{{"type":"hitl_escalation","payload":{text},"routing_key":"review.{reason}"{block}}}', reason


def interaction_message(interaction_id, pipeline_name, step_name, data, interaction=None):
    """A pipeline's own question."""
    payload = {"interaction_id": interaction_id, "pipeline_name": pipeline_name, "step_name": step_name, "data": data}
    message = {"type": "hitl_interaction", "payload": payload}
    if interaction is not None:
        message["interaction"] = interaction
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def pause_id(namespace, pipeline, step, key):
    """The id of a pause, the same in every process and language."""
    names = json.dumps([namespace, pipeline, step, key], ensure_ascii=False, separators=(",", ":"))
    return str(uuid.uuid5(UMPIRE_NAMESPACE, f"pause\n{names}"))


def id_token(request_id):
    return base64.urlsafe_b64encode(request_id.encode()).rstrip(b"=").decode()


def message_id(subject, body):
    """For `Nats-Msg-Id`: never the request's id, since other content under that id must not be dropped as a repeat."""
    return hashlib.sha256(f"{subject}\n{body}".encode()).hexdigest()


class HttpUmpire:
    """Umpire over HTTP, for one credential."""

    def __init__(self, origin, key, attempts=5):
        self.origin = origin.rstrip("/")
        self.key = key
        self.attempts = attempts

    def call(self, method, path, body=None, timeout=30):
        """Repeats what failed in passing; every call here may be repeated. Raises Refused."""
        for attempt in range(1, self.attempts + 1):
            try:
                return self.once(method, path, body, timeout)
            except Refused as refusal:
                if refusal.problem.get("status") not in PASSING or attempt == self.attempts:
                    raise
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                if attempt == self.attempts:
                    raise
            pause_before(attempt)

    def once(self, method, path, body, timeout):
        headers = {"Authorization": f"Bearer {self.key}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        data = None if body is None else body.encode()
        request = urllib.request.Request(self.origin + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            try:
                problem = json.loads(text)
            except ValueError:
                problem = {"code": "unavailable", "detail": text[:200]}
            raise Refused({**problem, "status": error.code}) from None

    def namespace(self):
        return self.call("GET", "/session")["namespace"]

    def submit(self, message):
        """A message of the contract, or a bare HITLRequest. Safe to repeat: the same id and content is a duplicate."""
        return self.call("POST", "/api/escalations", message)

    def status(self, request_id, wait=0):
        """Where an escalation stands, or None; with `wait` once there is an outcome, or after so many seconds."""
        query = f"?wait={wait}" if wait else ""
        try:
            return self.call("GET", f"/hitl/status/~{id_token(request_id)}{query}", timeout=wait + 15)
        except Refused as refusal:
            if refusal.code == "not_found":
                return None
            raise

    def wait_for_outcome(self, request_id):
        while True:
            status = self.status(request_id, wait=25)
            if status is not None and status.get("outcome"):
                return status["outcome"]
            if status is None:
                pause_before(3)


class NatsUmpire:
    """Umpire over NATS, with a producer's login."""

    def __init__(self, nats, namespace):
        self.nats = nats
        self.namespace = namespace

    @classmethod
    async def connect(cls, connection, namespace="default"):
        """`connection`: the content of connection.json."""
        login = connection["namespaces"][namespace]["nats"]["producer"]
        nats = await Nats.connect(connection["nats_url"], login["user"], login["pass"], login["inbox_prefix"])
        return cls(nats, namespace)

    async def publish(self, message, reason="custom_rule"):
        """Durable when it returns; what is wrong with the message shows in the dead letters."""
        subject = f"hitl.{self.namespace}.review.{reason}"
        return await self.nats.jetstream_publish(subject, message, {"Nats-Msg-Id": message_id(subject, message)})

    async def submit(self, message, reason="custom_rule", timeout=5):
        """Publishes and waits for the store's verdict. No message id: a repeat that the stream dropped would get none."""
        subject = f"hitl.{self.namespace}.review.{reason}"
        inbox = self.nats.inbox()
        sid = self.nats.subscribe(inbox)
        try:
            await self.nats.jetstream_publish(subject, message, {"Umpire-Reply-To": inbox})
            answer = await self.nats.next(sid, timeout)
        finally:
            self.nats.unsubscribe(sid)
        if answer is None:
            return {"status": "queued"}
        verdict = answer.json()
        if verdict["status"] in ("rejected", "conflict"):
            code = "id_conflict" if verdict["status"] == "conflict" else "invalid"
            raise Refused({"code": code, "detail": "see errors", **verdict})
        return verdict

    async def status(self, request_id):
        """Where an escalation stands, or None."""
        subject = f"hitl.{self.namespace}.query.outcome"
        answer = await self.nats.request(subject, json.dumps({"request_id": request_id}))
        if "Umpire-Error" in answer.headers:
            raise NatsError(f"{answer.headers['Umpire-Error']}: {answer.data.decode()}")
        status = answer.json()
        return None if status["status"] == "not_found" else status

    async def wait_for_outcome(self, request_id):
        """Listens first, then asks; asks again on a hint and every few seconds. Raises NatsError when the line ends."""
        sid = self.nats.subscribe(f"hitl.{self.namespace}.settled.{id_token(request_id)}")
        try:
            while True:
                status = await self.status(request_id)
                if status is not None and status.get("outcome"):
                    return status["outcome"]
                await self.nats.next(sid, 3 + 2 * random.random())
        finally:
            self.nats.unsubscribe(sid)

    async def close(self):
        await self.nats.close()


def pause_before(attempt):
    """Exponential, with jitter, at most five seconds."""
    ceiling = min(5, 0.1 * 2 ** (attempt - 1))
    time.sleep(ceiling * (0.1 + 0.9 * random.random()))
