"""MQTT 3.1.1 and 5 over mutual TLS, small and literal: it sends what a good client never would, and tells
what came back, code by code. It retries nothing and repairs nothing."""
import socket
import ssl
import struct
import time

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, SUBSCRIBE, SUBACK, PINGREQ, DISCONNECT = 1, 2, 3, 4, 5, 8, 9, 12, 14

# Properties of MQTT 5 by number: their name, and how the value is written.
PROPERTIES = {
    0x01: ('payload format', 'B'), 0x02: ('message expiry', 'I'), 0x03: ('content type', 's'),
    0x08: ('response topic', 's'), 0x09: ('correlation data', 's'), 0x0b: ('subscription id', 'v'),
    0x11: ('session expiry', 'I'), 0x12: ('assigned client id', 's'), 0x13: ('server keep alive', 'H'),
    0x15: ('authentication method', 's'), 0x16: ('authentication data', 's'),
    0x1a: ('response information', 's'), 0x1c: ('server reference', 's'), 0x1f: ('reason string', 's'),
    0x21: ('receive maximum', 'H'), 0x22: ('topic alias maximum', 'H'), 0x23: ('topic alias', 'H'),
    0x24: ('maximum QoS', 'B'), 0x25: ('retain available', 'B'), 0x26: ('user property', 'p'),
    0x27: ('maximum packet size', 'I'), 0x28: ('wildcards available', 'B'),
    0x29: ('subscription ids available', 'B'), 0x2a: ('shared subscriptions available', 'B'),
}


def variable(number):
    out = bytearray()
    while True:
        number, digit = divmod(number, 128)
        out.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(out)


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return struct.pack('>H', len(data)) + data


def packet(kind, flags, body):
    return bytes([kind << 4 | flags]) + variable(len(body)) + body


class Reader:
    def __init__(self, data):
        self.data = data

    def take(self, count):
        part, self.data = self.data[:count], self.data[count:]
        if len(part) < count:
            raise ValueError('the packet is too short')
        return part

    def number(self, form):
        return struct.unpack('>' + form, self.take(struct.calcsize('>' + form)))[0]

    def variable(self):
        value, shift = 0, 0
        while True:
            digit = self.number('B')
            value |= (digit & 0x7f) << shift
            shift += 7
            if digit < 0x80:
                return value

    def text(self):
        return self.take(self.number('H')).decode(errors='replace')

    def properties(self):
        inside = Reader(self.take(self.variable()))
        found = {}
        while inside.data:
            name, form = PROPERTIES.get(inside.variable(), ('unknown property', None))
            if form is None:
                found[name] = True
                break
            if form == 's':
                found[name] = inside.text()
            elif form == 'p':
                found[name] = (inside.text(), inside.text())
            else:
                found[name] = inside.variable() if form == 'v' else inside.number(form)
        return found


class Message:
    def __init__(self, topic, payload, qos, at):
        self.topic, self.payload, self.qos, self.at = topic, payload, qos, at


class Connection:
    """One connection. `closed` tells how it ended, None: it has not. Messages gather in `messages`, in the
    order of their coming."""

    def __init__(self, target, protocol=5, client_id=None, clean=True, keep_alive=60, will=None,
                 session_expiry=None):
        self.protocol, self.closed, self.messages, self.acks = protocol, None, [], {}
        self.next_id, self.session_present, self.properties, self.linger = 1, None, {}, target.linger
        plain = socket.create_connection((target.endpoint, target.port), timeout=20)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = target.context().wrap_socket(plain, server_hostname=target.endpoint)
        self.tls = f'{self.socket.version()} {self.socket.cipher()[0]}'
        flags = (0x02 if clean else 0) | ((0x04 | will[2] << 3) if will else 0)
        body = text('MQTT') + bytes([protocol, flags]) + struct.pack('>H', keep_alive)
        if protocol == 5:
            properties = b'' if session_expiry is None else b'\x11' + struct.pack('>I', session_expiry)
            body += variable(len(properties)) + properties
        body += text(client_id or target.thing)
        if will:
            body += (b'\0' if protocol == 5 else b'') + text(will[0]) + text(will[1])
        self.send(packet(CONNECT, 0, body))
        self.code = self.wait(lambda: self.acks.pop((CONNACK, 0), None), 20)

    def is_up(self):
        return self.closed is None and self.code == [0]

    # ---- bytes ----

    def send(self, data):
        try:
            self.socket.settimeout(20)
            self.socket.sendall(data)
        except OSError as error:
            self.closed = self.closed or f'closed ({type(error).__name__})'

    def receive(self, count, seconds):
        data = b''
        deadline = time.monotonic() + seconds
        while len(data) < count:
            left = deadline - time.monotonic()
            # What has begun is read to its end.
            self.socket.settimeout(max(left, 0.001) if not data else 20)
            part = self.socket.recv(count - len(data))
            if not part:
                raise ConnectionError
            data += part
        return data

    def pump(self, seconds):
        """Take one packet; False: none came."""
        if self.closed:
            return False
        try:
            first = self.receive(1, seconds)[0]
            length, shift = 0, 0
            while True:
                digit = self.receive(1, 20)[0]
                length |= (digit & 0x7f) << shift
                shift += 7
                if digit < 0x80:
                    break
            self.take(first >> 4, first & 15, Reader(self.receive(length, 20) if length else b''))
        except TimeoutError:
            return False
        except (OSError, ConnectionError):
            self.closed = 'closed'
            return False
        return True

    # ---- packets ----

    def take(self, kind, flags, body):
        if kind == CONNACK:
            self.session_present = bool(body.number('B') & 1)
            self.acks[CONNACK, 0] = [body.number('B')]
            if self.protocol == 5:
                self.properties = body.properties()
        elif kind == PUBLISH:
            qos = flags >> 1 & 3
            topic = body.text()
            number = body.number('H') if qos else None
            if self.protocol == 5:
                body.properties()
            self.messages.append(Message(topic, body.data, qos, time.monotonic()))
            if qos == 1:
                self.send(packet(PUBACK, 0, struct.pack('>H', number)))
        elif kind in (PUBACK, PUBREC):
            number = body.number('H')
            self.acks[kind, number] = [body.number('B') if body.data else 0]
        elif kind == SUBACK:
            number = body.number('H')
            if self.protocol == 5:
                body.properties()
            self.acks[SUBACK, number] = list(body.data)
        elif kind == DISCONNECT:
            self.closed = f'DISCONNECT 0x{body.number("B") if body.data else 0:02x}'

    def wait(self, found, seconds):
        """Take packets until `found` finds something, the time is over or the connection; None then."""
        deadline = time.monotonic() + seconds
        while True:
            result = found()
            if result is not None:
                return result
            left = deadline - time.monotonic()
            if left <= 0 or not (self.pump(left) or found() is not None):
                return found()

    def new_id(self):
        self.next_id = self.next_id % 65535 + 1
        return self.next_id

    def publish_packet(self, topic, payload, qos=1, retain=False):
        number = self.new_id() if qos else None
        body = text(topic) + (struct.pack('>H', number) if qos else b'')
        body += (b'\0' if self.protocol == 5 else b'') + payload
        return number, packet(PUBLISH, qos << 1 | retain, body)

    def publish(self, topic, payload, qos=1, retain=False, seconds=5):
        """Returns the code of the acknowledgement, None: there was none (QoS 0, silence, the end)."""
        number, data = self.publish_packet(topic, payload, qos, retain)
        self.send(data)
        if not qos:
            return None
        kind = PUBREC if qos == 2 else PUBACK
        code = self.wait(lambda: self.acks.pop((kind, number), None), seconds)
        return code[0] if code else None

    def subscribe(self, filters, seconds=10):
        """filters: (filter, qos) each. Returns the codes, None: no SUBACK."""
        number = self.new_id()
        body = struct.pack('>H', number) + (b'\0' if self.protocol == 5 else b'')
        body += b''.join(text(name) + bytes([qos]) for name, qos in filters)
        self.send(packet(SUBSCRIBE, 2, body))
        return self.wait(lambda: self.acks.pop((SUBACK, number), None), seconds)

    def close(self, politely=True):
        if politely and not self.closed:
            self.send(packet(DISCONNECT, 0, b''))
        self.closed = self.closed or 'by us'
        self.socket.close()


class Target:
    """Where to connect, and as whom."""

    def __init__(self, endpoint, port, ca, cert, key, thing):
        self.endpoint, self.port, self.ca, self.cert, self.key, self.thing = endpoint, port, ca, cert, key, thing
        self.last, self.pause, self.linger = 0.0, 1.1, 1.0

    def context(self):
        context = ssl.create_default_context(cafile=self.ca)
        context.load_cert_chain(self.cert, self.key)
        if self.port == 443:
            context.set_alpn_protocols(['x-amzn-mqtt-ca'])
        return context

    def connect(self, **options):
        """A new connection, at most one a second: AWS's limit per client id."""
        time.sleep(max(0.0, self.last + self.pause - time.monotonic()))
        try:
            return Connection(self, **options)
        finally:
            self.last = time.monotonic()
