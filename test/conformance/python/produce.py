"""Publishes escalations, with Python's standard library alone.

    python3 produce.py CONNECTION http|nats [--fast] [--upstream | --from MODULE:FUNCTION] [< requests.jsonl]

CONNECTION is the path of connection.json. Each line of standard input is a HITLRequest, sent byte for byte in the contract's queue
message; one answer for each is printed as a line of JSON. `--fast` (nats) only makes sure that each is durable.

`--from` takes the requests from any function of yours that returns HITLRequests, as dicts, texts or pydantic models. `--upstream`
takes one from the upstream framework, where it is installed; where it is not, the script says so and ends with status 3.
"""

import argparse
import asyncio
import importlib
import json
import sys

from umpire_nats import NatsError
from umpire_producer import HttpUmpire, NatsUmpire, Refused, escalation_message


def from_upstream():
    """A disagreement as the framework itself builds it."""
    try:
        from agent_alignment.core.hitl import build_hitl_request
        from agent_alignment.core.models import AgentDecision, AlignmentState, AlignmentSummary, EvaluationResult
    except ImportError as error:
        print(f"the upstream framework is not installed: {error}", file=sys.stderr)
        sys.exit(3)
    decisions = [
        AgentDecision(agent_name=name, role_type=role, decision_value=value, confidence=confidence, rationale=why, evidence=evidence)
        for name, role, value, confidence, why, evidence in (
            ("tester", "expert", True, 0.8, "All tests pass", ["test report"]),
            ("operator", "skeptic", False, 0.7, "Nobody is on call this weekend", ["rota"]),
        )
    ]
    summary = AlignmentSummary(
        state=AlignmentState.HARD_DISAGREEMENT, alignment_score=0.4, decision_agreement=False, confidence_spread=0.1,
        confidence_distribution={"tester": 0.8, "operator": 0.7}, avg_confidence=0.75, dissenting_agents=["operator"],
        disagreement_areas=["primary_decision"], consensus_strength=0.5, resolution_rationale="The agents differ on the release",
    )
    result = EvaluationResult(
        task_id="release-7", synthesized_decision=True, confidence=0.6, reasoning="One for, one against", evidence=["test report"],
        agent_decisions=decisions, alignment_summary=summary, requires_human_review=True, request_id="evaluation-7", processing_time_ms=12,
    )
    return [build_hitl_request(result, summary)]


def from_function(name):
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function)()


def answer_of(send, message, reason):
    try:
        return send(message, reason)
    except Refused as refusal:
        return {"refused": refusal.code, "errors": refusal.errors}


async def over_nats(connection, messages, fast):
    umpire = await NatsUmpire.connect(connection)
    try:
        for message, reason in messages:
            try:
                print(json.dumps(await (umpire.publish if fast else umpire.submit)(message, reason)), flush=True)
            except Refused as refusal:
                print(json.dumps({"refused": refusal.code, "errors": refusal.errors}), flush=True)
    finally:
        await umpire.close()


def over_http(connection, messages):
    umpire = HttpUmpire(connection["api_url"], connection["keys"]["producer"])
    for message, reason in messages:
        print(json.dumps(answer_of(lambda text, _: umpire.submit(text), message, reason)), flush=True)


def main():
    parser = argparse.ArgumentParser(description="Publishes escalations.")
    parser.add_argument("connection")
    parser.add_argument("way", choices=("http", "nats"))
    parser.add_argument("--fast", action="store_true")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--upstream", action="store_true")
    source.add_argument("--from", dest="function")
    options = parser.parse_args()
    with open(options.connection, encoding="utf-8") as file:
        connection = json.load(file)
    if options.upstream:
        requests = from_upstream()
    elif options.function:
        requests = from_function(options.function)
    else:
        requests = (line for line in sys.stdin.read().split("\n") if line)
    messages = [escalation_message(request) for request in requests]
    if options.way == "http":
        over_http(connection, messages)
    else:
        asyncio.run(over_nats(connection, messages, options.fast))


if __name__ == "__main__":
    try:
        main()
    except NatsError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
