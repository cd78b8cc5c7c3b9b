"""As much of the NATS protocol as a producer needs, with Python's standard library alone.

CONNECT, PUB, HPUB, SUB, UNSUB, PING and PONG over one socket; requests; JetStream publishes that wait for their ack, and pulls
from a durable consumer. It does not reconnect: who uses it connects again (see pipeline.py).
"""

import asyncio
import json
import secrets
from urllib.parse import urlsplit


class NatsError(Exception):
    """The server refused something, or nobody answered."""


class Message:
    def __init__(self, subject, reply, headers, status, data):
        self.subject = subject
        self.reply = reply
        self.headers = headers
        # The number in `NATS/1.0 503`, or None: how the server itself answers.
        self.status = status
        self.data = data

    def json(self):
        return json.loads(self.data)


class Nats:
    def __init__(self, reader, writer, inbox_prefix):
        self.reader = reader
        self.writer = writer
        self.inbox_prefix = inbox_prefix
        self.subscriptions = {}
        self.last_sid = 0
        self.pongs = []
        self.errors = []
        self.closed = None
        self.pump = None

    @classmethod
    async def connect(cls, url, user, password, inbox_prefix, timeout=5):
        """`inbox_prefix` as connection.json has it: answers come below it, and nowhere else may they come."""
        address = urlsplit(url if "://" in url else f"nats://{url}")
        opening = asyncio.open_connection(address.hostname, address.port or 4222, limit=2 * 1024 * 1024)
        reader, writer = await asyncio.wait_for(opening, timeout)
        connection = cls(reader, writer, inbox_prefix)
        info = await asyncio.wait_for(reader.readline(), timeout)
        if not info.startswith(b"INFO "):
            raise NatsError("this is not a NATS server")
        options = {
            "verbose": False, "pedantic": False, "echo": True, "headers": True, "no_responders": True, "protocol": 1,
            "lang": "python-stdlib", "version": "1", "name": "umpire-conformance", "user": user, "pass": password,
        }
        writer.write(f"CONNECT {json.dumps(options)}\r\n".encode())
        connection.pump = asyncio.create_task(connection.read())
        await connection.flush(timeout)
        return connection

    async def read(self):
        """Hands what comes to whom it is for, until the line ends; then nobody is left waiting."""
        try:
            while True:
                line = await self.reader.readuntil(b"\r\n")
                verb, _, rest = line[:-2].partition(b" ")
                verb = verb.upper()
                if verb in (b"MSG", b"HMSG"):
                    await self.take(verb, rest.decode().split())
                elif verb == b"PING":
                    self.writer.write(b"PONG\r\n")
                elif verb == b"PONG" and self.pongs:
                    settle(self.pongs.pop(0), None)
                elif verb == b"-ERR":
                    self.errors.append(rest.decode().strip(" '"))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError) as error:
            self.closed = NatsError(self.errors[-1] if self.errors else f"the line has ended ({type(error).__name__})")
        finally:
            for waiting in self.pongs:
                settle(waiting, self.closed)
            for queue in self.subscriptions.values():
                queue.put_nowait(None)

    async def take(self, verb, fields):
        # MSG <subject> <sid> [reply] <bytes> | HMSG <subject> <sid> [reply] <header bytes> <bytes>
        counts = 2 if verb == b"HMSG" else 1
        sizes = [int(field) for field in fields[-counts:]]
        subject, sid, *reply = fields[:-counts]
        frame = await self.reader.readexactly(sizes[-1] + 2)
        head, data = (frame[: sizes[0]], frame[sizes[0] : -2]) if verb == b"HMSG" else (b"", frame[:-2])
        headers, status = read_headers(head)
        queue = self.subscriptions.get(int(sid))
        if queue is not None:
            queue.put_nowait(Message(subject, reply[0] if reply else None, headers, status, data))

    def publish(self, subject, data, reply=None, headers=None):
        data = data.encode() if isinstance(data, str) else data
        target = f"{subject} {reply}" if reply else subject
        if headers:
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            head = f"NATS/1.0\r\n{lines}\r\n".encode()
            self.writer.write(f"HPUB {target} {len(head)} {len(head) + len(data)}\r\n".encode() + head + data + b"\r\n")
        else:
            self.writer.write(f"PUB {target} {len(data)}\r\n".encode() + data + b"\r\n")

    def subscribe(self, subject):
        self.check()
        self.last_sid += 1
        queue = asyncio.Queue()
        self.subscriptions[self.last_sid] = queue
        self.writer.write(f"SUB {subject} {self.last_sid}\r\n".encode())
        return self.last_sid

    def unsubscribe(self, sid):
        if self.subscriptions.pop(sid, None) is not None and self.closed is None:
            self.writer.write(f"UNSUB {sid}\r\n".encode())

    async def next(self, sid, timeout):
        """The next message of a subscription; None when there was none in time. NatsError when the line has ended."""
        queue = self.subscriptions[sid]
        try:
            message = await asyncio.wait_for(queue.get(), timeout)
        except asyncio.TimeoutError:
            return None
        if message is None:
            queue.put_nowait(None)
            self.check()
        return message

    async def flush(self, timeout=5):
        """Returns when the server has seen all that was sent, and refused none of it."""
        self.check()
        waiting = asyncio.get_running_loop().create_future()
        self.pongs.append(waiting)
        self.writer.write(b"PING\r\n")
        await asyncio.wait_for(waiting, timeout)
        if self.errors:
            raise NatsError(self.errors.pop())

    def inbox(self):
        return f"{self.inbox_prefix}.{secrets.token_hex(11)}"

    async def request(self, subject, data, timeout=3, headers=None):
        inbox = self.inbox()
        sid = self.subscribe(inbox)
        try:
            self.publish(subject, data, reply=inbox, headers=headers)
            answer = await self.next(sid, timeout)
            if answer is None:
                raise NatsError(self.errors.pop() if self.errors else f"no answer on {subject} within {timeout} s")
            if answer.status == 503 and not answer.data:
                raise NatsError(f"nobody takes {subject}")
            return answer
        finally:
            self.unsubscribe(sid)

    async def jetstream_publish(self, subject, data, headers=None, timeout=5):
        """Returns the stream's ack: the message is on disk."""
        ack = (await self.request(subject, data, timeout, headers)).json()
        if "error" in ack:
            raise NatsError(f"{ack['error'].get('code')} {ack['error'].get('description')}")
        return ack

    async def pull(self, stream, consumer, timeout=5):
        """One message of a durable consumer, or None. Ack it with `ack`, or it comes again."""
        inbox = self.inbox()
        sid = self.subscribe(inbox)
        try:
            ask = json.dumps({"batch": 1, "expires": int(timeout * 1e9)})
            self.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}", ask, reply=inbox)
            message = await self.next(sid, timeout + 1)
            # 404 and 408 say that there was nothing, 409 that the consumer is gone.
            if message is None or message.status in (404, 408):
                return None
            if message.status is not None:
                raise NatsError(f"the consumer {consumer} answered {message.status}")
            return message
        finally:
            self.unsubscribe(sid)

    async def ack(self, message):
        """Waits until the server has the ack, so that a message that was handled does not come again."""
        await self.request(message.reply, "+ACK")

    def check(self):
        if self.closed is not None:
            raise self.closed

    async def close(self):
        if self.closed is None:
            await self.writer.drain()
        self.pump.cancel()
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except ConnectionError:
            pass


def read_headers(head):
    """Headers and, where the server itself answers, its status."""
    if not head:
        return {}, None
    first, *lines = head.decode().split("\r\n")
    words = first.split(" ")
    headers = {}
    for line in lines:
        name, found, value = line.partition(":")
        if found:
            headers[name.strip()] = value.strip()
    return headers, int(words[1]) if len(words) > 1 and words[1].isdigit() else None


def settle(waiting, error):
    if waiting.done():
        return
    if error is None:
        waiting.set_result(None)
    else:
        waiting.set_exception(error)
