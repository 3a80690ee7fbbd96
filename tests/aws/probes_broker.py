"""What the documents leave open about the broker: what it grants, refuses and closes. Each probe has
connections of its own."""
import json
import time

from mqtt import Connection
from probes_shadow import PROBES, probe, word
from shadows import SUFFIXES


def codes(values):
    """SUBACK codes in words: runs of the same."""
    if values is None:
        return 'no SUBACK'
    runs = []
    for value in values:
        if runs and runs[-1][0] == value:
            runs[-1][1] += 1
        else:
            runs.append([value, 1])
    return ', '.join(f'{count}x {value}' if value < 3 else f'{count}x 0x{value:02x}' for value, count in runs)


def after(connection, what):
    """What a publish or subscription came to: the code, and whether the connection lives."""
    if connection.closed is None:
        connection.pump(connection.linger)
    return f'{what}, {"connected" if connection.closed is None else connection.closed}'


def told(code):
    return 'no PUBACK' if code is None else f'PUBACK 0x{code:02x}'


def filters(s, names):
    return [(s.topic(name, 'get/accepted'), 1) for name in names]


def with_connection(s, use, **options):
    connection = s.target.connect(**options)
    try:
        if not connection.is_up():
            return f'CONNACK {connection.code}, {connection.closed}'
        return use(connection)
    finally:
        connection.close()


FORBIDDEN = 'fluxaws-probe/not/allowed'


@probe('a publish that is not allowed, MQTT 5', '12.6', 'no PUBACK, closed', 'refuse_publish_softly')
def forbidden_publish_5(s):
    return with_connection(s, lambda c: after(c, told(c.publish(FORBIDDEN, b'{}', seconds=3))))


@probe('the same, MQTT 3.1.1', '12.6', 'no PUBACK, closed')
def forbidden_publish_3(s):
    return with_connection(s, lambda c: after(c, told(c.publish(FORBIDDEN, b'{}', seconds=3))), protocol=4)


@probe('a filter that is not allowed, MQTT 5', '12.6', '1x 0x87, connected')
def forbidden_filter_5(s):
    return with_connection(s, lambda c: after(c, codes(c.subscribe([(FORBIDDEN, 1)]))))


@probe('the same, MQTT 3.1.1', '12.6', '1x 0x80, connected')
def forbidden_filter_3(s):
    return with_connection(s, lambda c: after(c, codes(c.subscribe([(FORBIDDEN, 1)]))), protocol=4)


@probe('CONNACK of MQTT 5', '12.6', 'maximum packet size 149504, receive maximum 100, topic alias maximum 10')
def connack(s):
    return with_connection(s, lambda c: ', '.join(
        f'{name} {value}' for name, value in sorted(c.properties.items())) or 'no properties')


@probe('the keep-alive that a client is told who asks for 5 s', '3.2', 'none: 5 s it is')
def short_keep_alive(s):
    return with_connection(s, lambda c: str(c.properties.get('server keep alive', 'none: 5 s it is')), keep_alive=5)


def session(s, protocol, **more):
    first = s.target.connect(protocol=protocol, clean=False, **more)
    if not first.is_up():
        return f'refused: CONNACK {first.code}, {first.closed}'
    first.subscribe(filters(s, [s.name('session')]))
    first.close()
    second = s.target.connect(protocol=protocol, clean=False, **more)
    present = second.session_present
    second.close()
    s.target.connect(protocol=protocol, clean=True).close()  # the session ends here
    return word(present, 'kept', 'not kept')


@probe('a persistent session with this policy, MQTT 3.1.1', '12.8', 'kept')
def persistent_3(s):
    return session(s, 4)


@probe('the same, MQTT 5 with a session expiry of 60 s', '12.8', 'kept')
def persistent_5(s):
    return session(s, 5, session_expiry=60)


@probe('the shared filters name/+/...: granted, and they deliver', '1.1', '8x 1, they deliver')
def shared_filters(s):
    def use(connection):
        granted = codes(connection.subscribe([(s.topic('+', suffix), 1) for suffix in SUFFIXES]))
        connection.publish(s.topic(s.name('shared'), 'get'), b'')
        connection.wait(lambda: connection.messages or None, 3)
        return f'{granted}, {word(connection.messages, "they deliver", "nothing comes")}'
    return with_connection(s, use)


@probe('9 filters in one SUBSCRIBE, MQTT 5', '3.2', '8x 1, 1x 0x87, connected', 'max_filters_per_subscribe')
def nine_filters_5(s):
    names = [s.name(f'nine-{number}') for number in range(9)]
    return with_connection(s, lambda c: after(c, codes(c.subscribe(filters(s, names)))))


@probe('the same, MQTT 3.1.1', '3.2', '8x 1, 1x 0x80, connected', 'max_filters_per_subscribe')
def nine_filters_3(s):
    names = [s.name(f'nine-{number}') for number in range(9)]
    return with_connection(s, lambda c: after(c, codes(c.subscribe(filters(s, names)))), protocol=4)


def fifty_one(s, protocol):
    names = [s.name(f'many-{number}') for number in range(51)]

    def use(connection):
        granted = []
        for start in range(0, 51, 8):
            got = connection.subscribe(filters(s, names[start:start + 8]))
            if got is None:
                return after(connection, codes(granted) + ', then no SUBACK')
            granted += got
        return after(connection, codes(granted))
    return with_connection(s, use, protocol=protocol)


@probe('the 51st subscription, MQTT 5', '3.2', '50x 1, 1x 0x87, connected', 'max_subscriptions')
def subscriptions_5(s):
    return fifty_one(s, 5)


@probe('the same, MQTT 3.1.1', '3.2', '50x 1, 1x 0x80, connected', 'max_subscriptions')
def subscriptions_3(s):
    return fifty_one(s, 4)


@probe('a subscription at QoS 2', '3.3', 'no SUBACK, DISCONNECT 0x9b', 'enforce_qos')
def qos2_filter(s):
    topic = s.topic(s.name('qos2'), 'get/accepted')
    return with_connection(s, lambda c: after(c, codes(c.subscribe([(topic, 2)], seconds=3))))


@probe('a publish at QoS 2', '3.3', 'no PUBACK, DISCONNECT 0x9b', 'enforce_qos')
def qos2_publish(s):
    topic = s.topic(s.name('qos2'), 'get')
    return with_connection(s, lambda c: after(c, told(c.publish(topic, b'', qos=2, seconds=3))))


@probe('a retained publish to a shadow', '1.1', 'no PUBACK, closed', 'enforce_retain')
def retained(s):
    topic = s.topic(s.name('retain'), 'get')
    return with_connection(s, lambda c: after(c, told(c.publish(topic, b'', retain=True, seconds=3))))


@probe('a payload of 128 KB and one byte', '3.2', 'no PUBACK, closed', 'enforce_payload')
def large_payload(s):
    topic = s.topic(s.name('large'), 'get')
    return with_connection(s, lambda c: after(c, told(c.publish(topic, b'x' * 131073, seconds=5))))


@probe('the same client id a second time: how the first connection ends', '3.3', 'closed')
def taken_over(s):
    first = s.target.connect()
    second = s.target.connect()
    first.wait(lambda: first.closed, 3)
    said = word(second.is_up(), '', f'the second is refused: {second.code}; ') + (first.closed or 'connected')
    first.close(False)
    second.close()
    return said


@probe('two CONNECTs of one client id within a second', '3.2', 'both are accepted', 'enforce_connects_per_sec')
def quick_connects(s):
    first = s.target.connect()
    first.close()
    second = Connection(s.target)
    said = word(second.is_up(), 'both are accepted', f'CONNACK {second.code}, {second.closed}')
    second.close()
    return said


@probe('a will to a shadow: the CONNECT, and whether the shadow takes it', '7', 'CONNACK 0, not taken')
def will_to_shadow(s):
    name = s.name('will')
    connection = s.target.connect(will=(s.topic(name, 'update'), '{"state":{"reported":{"w":1}}}', 1))
    code = connection.code
    connection.close(politely=False)
    if code != [0]:
        return f'CONNACK {code}, {connection.closed}'
    time.sleep(2)
    s.made.add(name)
    return 'CONNACK 0, ' + word(s.state(name) is None, 'not taken', 'taken')


@probe('150 messages in and as many out within a second (100 are allowed)', '3.2', 'all are answered',
       'enforce_messages_per_sec')
def message_rate(s):
    topics = [s.topic(s.name(f'flood-{number % 30}'), 'get') for number in range(150)]

    def use(connection):
        connection.subscribe([(s.topic('+', 'get/rejected'), 0)])
        connection.send(b''.join(connection.publish_packet(topic, b'', qos=0)[1] for topic in topics))
        connection.wait(lambda: len(connection.messages) >= 150 or None, 20)
        refused = sum(1 for one in connection.messages if json.loads(one.payload).get('code') == 429)
        got = len(connection.messages)
        said = 'all are answered' if got == 150 else f'{got} are answered'
        return said + (f', {refused} of them with 429' if refused else '') + (
            f', {connection.closed}' if connection.closed else '')
    return with_connection(s, use)


BROKER = {one['id'] for one in PROBES if one['run'].__module__ == __name__}

# What no client can see.
UNSEEN = [
    {'fact': 'what the 1 KB steps of a shadow operation count, and whether rejected requests cost', 'where': '12.7',
     'how': 'compare the bill, or the metered metrics, with the counts that this tool prints'},
    {'fact': 'current regional prices', 'where': '12.7', 'how': "AWS's price list"},
]
