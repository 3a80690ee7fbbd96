"""Requests to shadows of one thing, all of the tool's own making, and their answers."""
import json
import time

SUFFIXES = ('update/accepted', 'update/rejected', 'update/delta', 'update/documents', 'get/accepted',
            'get/rejected', 'delete/accepted', 'delete/rejected')
PREFIX = 'fluxaws-probe-'


class Lost(Exception):
    """The connection ended, or an answer that everything else needs did not come."""


class Answers(dict):
    """What followed one request: suffix -> value, in the order of coming; `raw` has the bytes."""

    def __init__(self):
        super().__init__()
        self.raw, self.order, self.qos = {}, [], {}

    @property
    def code(self):
        """The code of the rejection, 0: accepted, None: neither came."""
        for suffix, value in self.items():
            if suffix.endswith('/rejected'):
                return value.get('code') if isinstance(value, dict) else None
        return 0 if any(suffix.endswith('/accepted') for suffix in self) else None

    @property
    def message(self):
        for suffix, value in self.items():
            if suffix.endswith('/rejected') and isinstance(value, dict):
                return value.get('message')
        return None

    def said(self):
        """In words: `accepted`, `rejected with 400 "Invalid JSON"`, `no answer`."""
        if self.code is None:
            return 'no answer'
        return 'accepted' if self.code == 0 else f'{self.code} "{self.message}"'


class Shadows:
    """A connection that hears everything about the thing's named shadows."""

    def __init__(self, target, run, wait, classic=False, protocol=5):
        self.target, self.run, self.wait_seconds, self.classic = target, run, wait, classic
        self.protocol, self.connection, self.made = protocol, None, set()
        self.requests, self.published, self.asked, self.gap, self.patience = 0, 0.0, {}, 0.06, 5

    def open(self):
        if self.connection and self.connection.closed is None:
            return
        self.connection = self.target.connect(protocol=self.protocol)
        if not self.connection.is_up():
            raise Lost(f'cannot connect: CONNACK {self.connection.code}, {self.connection.closed}')
        below = ['name/+/'] + ([''] if self.classic else [])
        for part in below:
            codes = self.connection.subscribe(
                [(f'$aws/things/{self.target.thing}/shadow/{part}{suffix}', 1) for suffix in SUFFIXES])
            if codes is None or any(code > 1 for code in codes):
                raise Lost(f'cannot subscribe to {part or "the classic shadow"}: SUBACK {codes}, '
                           f'{self.connection.closed}; does the policy allow it?')

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def name(self, what):
        """The name of a shadow of our own; no other run has used it."""
        return f'{PREFIX}{self.run}-{what}'

    def topic(self, name, operation):
        return f'$aws/things/{self.target.thing}/shadow/{f"name/{name}/" if name else ""}{operation}'

    def pace(self, name):
        """A request makes up to four messages, of which a connection may carry 100 a second; a shadow may be
        asked 20 times a second."""
        next_one = max(self.published + self.gap, self.asked.get(name, 0.0) + 0.06)
        time.sleep(max(0.0, next_one - time.monotonic()))
        self.published = self.asked[name] = time.monotonic()

    def request(self, name, operation, body='', linger=False):
        """Publish a request and take its answers. linger: also wait for what may still follow."""
        self.open()
        self.pace(name)
        payload = body if isinstance(body, (bytes, str)) else json.dumps(body, separators=(',', ':'), ensure_ascii=False)
        payload = payload.encode() if isinstance(payload, str) else payload
        self.connection.messages.clear()
        if operation == 'update':
            self.made.add(name)
        self.requests += 1
        self.connection.publish(self.topic(name, operation), payload)
        self.connection.wait(lambda: self.is_answered(name, operation) or None, self.patience)
        if linger:
            self.connection.wait(lambda: None, self.wait_seconds)
        return self.answers(name)

    def is_answered(self, name, operation):
        ends = [self.topic(name, f'{operation}/{end}') for end in ('accepted', 'rejected')]
        return any(message.topic in ends for message in self.connection.messages)

    def answers(self, name):
        found = Answers()
        prefix = self.topic(name, '')
        for message in self.connection.messages:
            suffix = message.topic[len(prefix):]
            if not message.topic.startswith(prefix) or suffix.startswith('name/') or suffix in found:
                continue
            try:
                found[suffix] = json.loads(message.payload)
            except ValueError:
                found[suffix] = None
            found.raw[suffix] = message.payload
            found.qos[suffix] = message.qos
            found.order.append(suffix)
        return found

    def update(self, name, state, **more):
        linger = more.pop('linger', False)
        return self.request(name, 'update', {'state': state, **more}, linger)

    def get(self, name):
        return self.request(name, 'get')

    def state(self, name):
        """The stored state without its delta; None: there is no shadow."""
        answers = self.get(name)
        if answers.code == 404:
            return None
        if answers.code != 0:
            raise Lost(f'get of {name}: {answers.said()}')
        return {key: value for key, value in answers['get/accepted']['state'].items() if key != 'delta'}

    def clean_up(self):
        """Delete all that was made. Returns the names that stayed."""
        stayed = []
        for name in sorted(self.made):
            for _ in range(3):
                answers = self.request(name, 'delete')
                if answers.code in (0, 404):
                    break
                time.sleep(1)
            else:
                stayed.append(name)
        return stayed
