"""What the documents leave open about the shadow service. Each probe does something to shadows of its own
and says in a few words what it saw; beside it stands what the sandbox does. Numbers: aws-facts, section 12,
or the section that calls the fact inferred or unknown."""
import json
import time

PROBES = []


def probe(fact, where, emulator, option=''):
    """Enter a probe in the list. emulator: what it says of the sandbox as it is by default; option: how to
    change that."""
    def enter(function):
        PROBES.append({'id': f'P{len(PROBES) + 1:02d}', 'fact': fact, 'where': where, 'emulator': emulator,
                       'option': option, 'run': function})
        return function
    return enter


def word(flag, yes, no):
    return yes if flag else no


def compact(value):
    return json.dumps(value, separators=(',', ':'), ensure_ascii=False)


@probe('get/accepted carries metadata.delta', '12.1', 'no metadata.delta', 'get_metadata_delta')
def metadata_delta(s):
    name = s.name('metadata-delta')
    s.update(name, {'desired': {'a': 1}})
    return word('delta' in s.get(name)['get/accepted']['metadata'], 'metadata.delta', 'no metadata.delta')


@probe('version after delete and re-creation', '12.2', 'N+2', 'tombstone_bumps')
def version_after_delete(s):
    name = s.name('recreate')
    before = s.update(name, {'reported': {'a': 1}})['update/accepted']['version']
    s.request(name, 'delete')
    after = s.update(name, {'reported': {'a': 1}})['update/accepted']['version']
    return f'N+{after - before}' if after > before else f'{after} after {before}'


@probe('a version after delete: the old one, and the one after it', '12.2',
       'N: 409 "Version conflict"; N+1: accepted')
def stale_version_after_delete(s):
    said = []
    for step in (0, 1):
        name = s.name(f'stale-{step}')
        before = s.update(name, {'reported': {'a': 1}})['update/accepted']['version']
        s.request(name, 'delete')
        answers = s.update(name, {'reported': {'a': 2}}, version=before + step)
        said.append(f'N{"+1" if step else ""}: {answers.said()}')
    return '; '.join(said)


@probe('delete with a stale version', '1.3', 'accepted')
def delete_with_version(s):
    name = s.name('delete-version')
    for value in (1, 2):
        s.update(name, {'reported': {'a': value}})
    return s.request(name, 'delete', {'version': 1}).said()


@probe('echo of desired:null in accepted', '12.3', '{"desired":null}', 'echo_null_section')
def echo_null_section(s):
    name = s.name('null-section')
    s.update(name, {'desired': {'a': 1}, 'reported': {'a': 1}})
    return compact(s.update(name, {'desired': None})['update/accepted']['state'])


@probe('echo of a null leaf in accepted, and its metadata', '12.3',
       'state {"reported":{"a":null}}, metadata {"reported":{"a":{"timestamp":TS}}}')
def echo_null_leaf(s):
    name = s.name('null-leaf')
    s.update(name, {'reported': {'a': 1, 'b': 1}})
    accepted = s.update(name, {'reported': {'a': None}})['update/accepted']
    metadata = compact(accepted['metadata']).replace(str(accepted['timestamp']), 'TS')
    return f'state {compact(accepted["state"])}, metadata {metadata}'


@probe('metadata of an empty object and of an empty array', '12.3', '{"reported":{"a":[],"o":{}}}')
def metadata_of_empty(s):
    accepted = s.update(s.name('empty'), {'reported': {'a': [], 'o': {}}})['update/accepted']
    metadata = dict(sorted(accepted['metadata'].get('reported', {}).items()))
    return compact({'reported': metadata}).replace(str(accepted['timestamp']), 'TS')


@probe('an empty object over an object, and over a scalar', '1.3', 'object stays; {} in place of the scalar')
def empty_object(s):
    name = s.name('empty-over')
    s.update(name, {'reported': {'o': {'x': 1}, 's': 1}})
    s.update(name, {'reported': {'o': {}, 's': {}}})
    state = s.state(name)['reported']
    return (word(state.get('o') == {'x': 1}, 'object stays', f'object becomes {compact(state.get("o"))}')
            + word(state.get('s') == {}, '; {} in place of the scalar', f'; scalar becomes {compact(state.get("s"))}'))


@probe('a null alone below what is not there', '1.3', 'leaves {"a":{}}', 'null_only_makes_nothing')
def null_below_nothing(s):
    name = s.name('null-below')
    s.update(name, {'reported': {'z': 1}})
    s.update(name, {'reported': {'a': {'b': None}}})
    state = s.state(name)['reported']
    return word('a' in state, f'leaves {{"a":{compact(state.get("a"))}}}', 'leaves nothing')


def nested(depth, leaf):
    for level in range(depth, 0, -1):
        leaf = {f'k{level}': leaf}
    return leaf


@probe('depth: levels of keys below reported', '12.4', '8', 'max_depth')
def depth(s):
    name = s.name('depth')
    accepted = [depth for depth in range(5, 11) if s.update(name, {'reported': nested(depth, 'x')}).code == 0]
    return str(max(accepted)) if accepted else 'fewer than 5'


@probe('an array adds a level of depth', '12.4', 'no', 'arrays_count_as_level')
def depth_of_arrays(s):
    name = s.name('depth-array')
    plain = [depth for depth in range(5, 11) if s.update(name, {'reported': nested(depth, 'x')}).code == 0]
    array = [depth for depth in range(5, 11) if s.update(name, {'reported': nested(depth, ['x'])}).code == 0]
    return word(plain == array, 'no', f'yes: {max(array, default=0)} where {max(plain, default=0)} is allowed')


@probe('text where an array holds a null', '12.4', '400 "State contains an invalid node: null in an array"')
def null_in_array(s):
    return s.update(s.name('null-array'), {'reported': {'a': [1, None]}}).said()


def largest(s, name, build, low, high):
    """The largest n for which the update build(n) is accepted."""
    while low < high:
        middle = (low + high + 1) // 2
        s.request(name, 'delete')
        if s.update(name, build(middle)).code == 0:
            low = middle
        else:
            high = middle - 1
    return low


@probe('the largest document, in bytes of compact JSON of the value of reported', '12.4', '8192', 'max_bytes')
def size_of_reported(s):
    build = lambda size: {'reported': {'b': 'x' * (size - len('{"b":""}'))}}
    return str(largest(s, s.name('size'), build, 7000, 9500))


@probe('the same where desired has 1,002 bytes: what both may have', '12.4', '8192', 'max_bytes')
def size_of_both(s):
    other = {'b': 'x' * (1002 - len('{"b":""}'))}
    build = lambda size: {'desired': other, 'reported': {'b': 'x' * (size - 1002 - len('{"b":""}'))}}
    return str(largest(s, s.name('size-both'), build, 7000, 9500))


@probe('a character of two bytes counts as', '12.4', '2 bytes')
def size_of_characters(s):
    name = s.name('size-utf8')
    narrow = largest(s, name, lambda count: {'reported': {'b': 'x' * count}}, 3000, 9500)
    wide = largest(s, name, lambda count: {'reported': {'b': 'é' * count}}, 1000, 9500)
    return {0: '6 bytes (escaped)', 1: '1 byte', 2: '2 bytes'}.get(
        0 if wide * 5 < narrow else round(narrow / wide), f'{narrow}/{wide}')


@probe('a version on a shadow that never was: 0, and 1', '12.5', '0: accepted; 1: 409 "Version conflict"',
       'missing_accepts_version')
def version_of_missing(s):
    said = []
    for version in (0, 1):
        answers = s.update(s.name(f'missing-{version}'), {'reported': {'a': 1}}, version=version)
        said.append(f'{version}: {answers.said()}')
    return '; '.join(said)


@probe('get and delete with a payload that is not JSON', '12.5', 'get: accepted; delete: accepted',
       'strict_get_payload')
def payload_not_json(s):
    name = s.name('not-json')
    s.update(name, {'reported': {'a': 1}})
    return '; '.join(f'{operation}: {s.request(name, operation, "{").said()}' for operation in ('get', 'delete'))


@probe('update with an empty payload', '12.5', '400 "Invalid JSON"')
def empty_update(s):
    return s.request(s.name('empty-update'), 'update', '').said()


@probe('update that is no object, or not UTF-8', '2', '[]: 400 "Invalid JSON"; not UTF-8: '
       '415 "Unsupported documented encoding; supported encoding is UTF-8"')
def odd_update(s):
    name = s.name('odd')
    array = s.request(name, 'update', '[]').said()
    latin1 = s.request(name, 'update', b'{"state":{"reported":{"a":"\xff"}}}').said()
    return f'[]: {array}; not UTF-8: {latin1}'


@probe('what is judged first of: bad token, bad version, bad state', '12.5', 'token, version, state')
def validation_order(s):
    name, order = s.name('order'), []
    body = {'state': {'other': 1}, 'version': 'x', 'clientToken': 'x' * 65}
    for _ in range(3):
        said = (s.request(name, 'update', body).message or '').lower()
        found = next((one for one, key in (('token', 'clienttoken'), ('version', 'version'), ('state', 'state'),
                                           ('state', 'node')) if key in said), None)
        if not found or found in order:
            return ', '.join(order + [f'"{said}"'])
        order.append(found)
        body = {**body, **{'token': {'clientToken': 'x'}, 'version': {'version': 1},
                           'state': {'state': {'reported': {}}}}[found]}
    return ', '.join(order)


@probe('what is judged first of: a stale version, a bad state', '12.5', 'the state')
def conflict_or_state(s):
    name = s.name('order-version')
    s.update(name, {'reported': {'a': 1}})
    code = s.update(name, {'other': 1}, version=999).code
    return {409: 'the version', 400: 'the state'}.get(code, str(code))


@probe('what is judged first of: a stale version, the size', '12.5', 'the version')
def conflict_or_size(s):
    name = s.name('order-size')
    s.update(name, {'reported': {'a': 1}})
    code = s.update(name, {'reported': {'b': 'x' * 9500}}, version=999).code
    return {409: 'the version', 413: 'the size'}.get(code, str(code))


@probe('an overlong token is echoed in its rejection', '12.5', 'no', 'echo_long_token')
def long_token(s):
    answers = s.update(s.name('token'), {'reported': {'a': 1}}, clientToken='x' * 65)
    rejected = answers.get('update/rejected')
    return word('clientToken' in rejected, 'yes', 'no') if rejected else answers.said()


@probe('a token that is a number', '2', '400 "Invalid clientToken"')
def number_token(s):
    return s.update(s.name('token-number'), {'reported': {'a': 1}}, clientToken=7).said()


@probe('version as null, 1.0, text, and 0 where there is a shadow', '2',
       'null: 400; 1.0: 400; "1": 400; 0: 409')
def version_types(s):
    name, said = s.name('version-types'), []
    for text in ('null', '1.0', '"1"', '0'):
        s.request(name, 'delete')
        s.update(name, {'reported': {'a': 1}})
        code = s.request(name, 'update', '{"state":{"reported":{"a":2}},"version":%s}' % text).code
        said.append(f'{text}: {code or "accepted"}')
    return '; '.join(said)


@probe('a rejection carries a timestamp', '1.2', 'no', 'rejected_timestamp')
def rejected_timestamp(s):
    rejected = s.get(s.name('nobody')).get('get/rejected') or {}
    return word('timestamp' in rejected, 'yes', 'no')


@probe('text of 404 for a named shadow', '2', "No shadow exists with name: 'NAME'", 'named_404_with_thing')
def text_of_404(s):
    name = s.name('nobody')
    return (s.get(name).message or 'none').replace(s.target.thing + '~', 'THING~').replace(name, 'NAME')


@probe('desired 1 and reported 1.0 make a delta', '1.3', 'no', 'exact_delta_numbers')
def delta_of_numbers(s):
    name = s.name('numbers')
    s.request(name, 'update', '{"state":{"desired":{"a":1},"reported":{"a":1.0}}}')
    return word('delta' in s.get(name)['get/accepted']['state'], 'yes', 'no')


@probe('how numbers are told: 1.0, 1e2, 0.10, -0, 9007199254740993, 9223372036854775807', '1.3',
       '1.0 100.0 0.1 0 9007199254740993 9223372036854775807', 'normalise_numbers')
def forms_of_numbers(s):
    name = s.name('forms')
    s.request(name, 'update', '{"state":{"reported":{"n":[1.0,1e2,0.10,-0,9007199254740993,9223372036854775807]}}}')
    raw = s.get(name).raw['get/accepted'].decode()
    return raw[raw.index('"n":[') + 5:].split(']')[0].replace(',', ' ')


@probe('an integer beyond 64 bits, and 1e400', '1.3', '2^64: accepted; 1e400: 400 "Invalid JSON"')
def huge_numbers(s):
    name, said = s.name('huge'), []
    for label, text in (('2^64', '18446744073709551616'), ('1e400', '1e400')):
        answers = s.request(name, 'update', '{"state":{"reported":{"a":%s}}}' % text)
        said.append(f'{label}: {answers.said()}')
    return '; '.join(said)


@probe('a key twice in one object', '1.3', 'the last wins', 'refuse_duplicate_keys')
def duplicate_keys(s):
    name = s.name('duplicate')
    answers = s.request(name, 'update', '{"state":{"reported":{"a":1,"a":2}}}')
    if answers.code != 0:
        return answers.said()
    return {1: 'the first wins', 2: 'the last wins'}.get(s.state(name)['reported'].get('a'), 'neither')


KEYS = {'empty': '', 'dot': 'a.b', 'slash': 'a/b', 'space': 'a b', 'dollar': '$a', 'control': 'a\u0001', 'emoji': '😀',
        '1,000 bytes': 'k' * 1000}


@probe('keys that are not allowed, of: ' + ', '.join(KEYS), '1.3', 'all are allowed')
def odd_keys(s):
    refused = []
    for label, key in KEYS.items():
        name = s.name('key-' + label.replace(' ', '-').replace(',', ''))
        if s.update(name, {'reported': {key: 1}}).code != 0 or s.state(name)['reported'] != {key: 1}:
            refused.append(label)
    return ', '.join(refused) or 'all are allowed'


@probe('a NUL in a string', '1.3', 'accepted')
def nul_in_string(s):
    return s.request(s.name('nul'), 'update', '{"state":{"reported":{"a":"\\u0000"}}}').said()


@probe('the order of what follows one update, ten times', '1.3', 'accepted, documents, delta', 'shuffle_seed')
def order_of_messages(s):
    name, orders = s.name('message-order'), set()
    for value in range(10):
        answers = s.update(name, {'desired': {'a': value}}, linger=True)
        orders.add(', '.join(suffix.split('/')[1] for suffix in answers.order))
    return ' | '.join(sorted(orders))


@probe('updates sent without waiting are applied in their order', '1.3', 'yes')
def order_of_updates(s):
    name = s.name('pipeline')
    s.update(name, {'reported': {'a': -1}})
    s.connection.messages.clear()
    data = b''.join(s.connection.publish_packet(
        s.topic(name, 'update'), b'{"state":{"reported":{"a":%d}}}' % value)[1] for value in range(8))
    s.connection.send(data)
    s.connection.wait(lambda: None, max(1.0, s.wait_seconds))
    values = [json.loads(message.payload)['state']['reported']['a'] for message in sorted(
        (message for message in s.connection.messages if message.topic.endswith('/update/accepted')),
        key=lambda message: json.loads(message.payload)['version'])]
    return word(values == list(range(8)), 'yes', f'no: {values}')


@probe('answers come at the QoS of the subscription', '1.1', 'yes: 1')
def qos_of_answers(s):
    name = s.name('qos')
    qos = s.update(name, {'reported': {'a': 1}}).qos.get('update/accepted')
    return word(qos == 1, 'yes: 1', f'no: {qos}')


@probe('more than 128 KB to say: what comes of the second update with 4,000 small array elements', '12.9',
       'accepted; documents missing', 'max_answer_size')
def oversized_answer(s):
    name = s.name('oversized')
    state = {'reported': {'a': [1] * 4000}}
    s.update(name, state, linger=True)
    answers = s.update(name, state, linger=True)
    if s.connection.closed:
        return f'the connection ended: {s.connection.closed}'
    return f'{answers.said()}; documents {word("update/documents" in answers, "come", "missing")}'


def burst(s, topics):
    """Ask for all at once; returns how many were accepted and rejected, the text of a 429, and silence."""
    s.open()
    time.sleep(1.1)
    s.connection.messages.clear()
    s.connection.send(b''.join(s.connection.publish_packet(topic, b'')[1] for topic in topics))
    s.connection.wait(lambda: len(s.connection.messages) >= len(topics) or None, 4)
    ends = {'accepted': 0, 'rejected': 0}
    texts = set()
    for message in s.connection.messages:
        end = message.topic.rsplit('/', 1)[1]
        ends[end] = ends.get(end, 0) + 1
        value = json.loads(message.payload)
        if end == 'rejected' and value.get('code') != 404:
            texts.add(f'{value.get("code")} "{value.get("message")}"')
        elif end == 'rejected':
            ends['rejected'] -= 1
            ends['accepted'] += 1
    s.published = time.monotonic() + 1
    silent = len(topics) - ends['accepted'] - ends['rejected']
    said = [f'{ends["accepted"]} answered', f'{ends["rejected"]} rejected'] + ([f'{silent} silent'] if silent else [])
    return ', '.join(said + sorted(texts)) + (f', {s.connection.closed}' if s.connection.closed else '')


@probe('30 requests at once to one shadow (20 a second are allowed)', '12.10',
       '20 answered, 10 rejected, 429 "TOO_MANY_REQUESTS"', 'throttle_drops, max_per_sec')
def rate_of_a_shadow(s):
    return burst(s, [s.topic(s.name('rate'), 'get')] * 30)


@probe('30 requests at once to 30 shadows of one thing (10 may be in flight)', '12.10',
       '30 answered, 0 rejected', 'max_in_flight')
def in_flight(s):
    return burst(s, [s.topic(s.name(f'flight-{number}'), 'get') for number in range(30)])
