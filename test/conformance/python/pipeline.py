"""An asyncio pipeline that stops for a person, outlasts its own death, and goes on where it stopped.

    python3 pipeline.py CONNECTION http|nats|outcomes KEY

It computes something, asks a person about it under KEY, and goes on with the answer. Killed while it waits and started again with the
same KEY, it attaches to the question that it asked before. `outcomes` asks and then reads the namespace's durable outcome consumer
instead, as a pipeline does that handles many questions: what came while it was dead is still there.

Prints `waiting <id>`, then `resumed <json>`.
"""

import asyncio
import json
import random
import sys

from umpire_nats import NatsError
from umpire_producer import HttpUmpire, NatsUmpire, Refused, interaction_message, pause_id

PIPELINE, STEP = "payouts-py", "confirm"
RULES = {
    "pattern": "input",
    "prompt": "Which account?",
    "ui_schema": {"fields": [{"name": "account", "type": "text", "required": True}]},
    "assignees": {"users": ["alice"]},
}


def ask():
    """What a pipeline computes before it pauses is rarely the same twice."""
    return {"amount": 1250, "note": "für Übung 7", "drawn": random.random()}


def say(what, text):
    print(what, text, flush=True)


async def over_http(connection, key):
    umpire = HttpUmpire(connection["api_url"], connection["keys"]["producer"])
    interaction_id = pause_id(await asyncio.to_thread(umpire.namespace), PIPELINE, STEP, key)
    if await asyncio.to_thread(umpire.status, interaction_id) is None:
        await asyncio.to_thread(umpire.submit, interaction_message(interaction_id, PIPELINE, STEP, ask(), RULES))
    say("waiting", interaction_id)
    return await asyncio.to_thread(umpire.wait_for_outcome, interaction_id)


async def connected(connection, work):
    """Does the work on a connection, and on a new one whenever the line ends."""
    failures = 0
    while True:
        try:
            umpire = await NatsUmpire.connect(connection)
            failures = 0
            try:
                return await work(umpire)
            finally:
                await umpire.close()
        except (NatsError, OSError, asyncio.TimeoutError) as error:
            failures += 1
            print(f"again: {error}", file=sys.stderr, flush=True)
            await asyncio.sleep(min(5, 0.1 * 2**failures) * random.uniform(0.1, 1))


async def ask_once(umpire, key):
    interaction_id = pause_id(umpire.namespace, PIPELINE, STEP, key)
    if await umpire.status(interaction_id) is None:
        await umpire.submit(interaction_message(interaction_id, PIPELINE, STEP, ask(), RULES))
    say("waiting", interaction_id)
    return interaction_id


async def over_nats(connection, key):
    async def work(umpire):
        return await umpire.wait_for_outcome(await ask_once(umpire, key))

    return await connected(connection, work)


async def from_outcomes(connection, key):
    consumer = connection["nats"]["producer"]["outcome_consumer"]

    async def work(umpire):
        interaction_id = await ask_once(umpire, key)
        while True:
            message = await umpire.nats.pull("HITL_OUTCOMES", consumer)
            if message is None:
                continue
            outcome = message.json()
            if outcome["request_id"] == interaction_id:
                # What the pipeline gave comes with the answer to a question, not with the stream.
                outcome = (await umpire.status(interaction_id))["outcome"]
                await umpire.nats.ack(message)
                return outcome
            await umpire.nats.ack(message)

    return await connected(connection, work)


async def main(path, way, key):
    with open(path, encoding="utf-8") as file:
        connection = json.load(file)
    outcome = await {"http": over_http, "nats": over_nats, "outcomes": from_outcomes}[way](connection, key)
    if outcome["state"] != "completed":
        say("ended", outcome["state"])
        return
    say("resumed", json.dumps(outcome["merged"], ensure_ascii=False))


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:4]))
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(1)
