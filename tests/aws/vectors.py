"""The vectors of tests/data/shadow-vectors.json against a real shadow service. Each has a named shadow of
its own, whose versions begin elsewhere than the vector's: they are compared by their distance."""
import json
import re
import time

SEEDINGS = 3  # so often a shadow is written first, so that a vector's stale version is not 0


def load(path):
    with open(path, encoding='utf-8') as file:
        text = file.read()
    return json.loads(re.sub(r'<(.)\*(\d+)>', lambda found: found[1] * int(found[2]), text))


class Vector:
    def __init__(self, vector, shadows, name=None):
        self.vector, self.shadows = vector, shadows
        self.id, self.title = vector['id'], vector['title']
        self.name = shadows.name(vector['id'].lower()) if name is None else name
        self.offset, self.differences, self.texts = 0, [], []

    def seed(self):
        """Bring the shadow to where the vector begins."""
        given = self.vector['given']
        if not given:
            return
        for _ in range(SEEDINGS):
            answers = self.shadows.update(self.name, given['doc'])
        if answers.code != 0:
            self.differences.append(f'it cannot be prepared: {answers.said()}')
            return
        self.offset = answers['update/accepted']['version'] - given['version']

    def payload(self, text):
        """A request's version is counted from where the shadow really is."""
        try:
            body = json.loads(text)
        except ValueError:
            return text
        version = body.get('version') if isinstance(body, dict) else None
        if not isinstance(version, int) or version < 1:
            return text
        return json.dumps({**body, 'version': version + self.offset}, separators=(',', ':'))

    def run(self):
        for step in self.vector['steps']:
            if self.differences:
                return
            answers = self.shadows.request(self.name, step['op'], self.payload(step['payload']), linger=True)
            for suffix, expected in step['expect'].items():
                if suffix == 'doc':
                    self.compare('stored', expected, self.shadows.state(self.name) or {}, whole=True)
                elif suffix not in answers:
                    self.differences.append(f'no {suffix}, but: {", ".join(answers.order) or "nothing"}'
                                            + (f', {answers.said()}' if answers.code else ''))
                else:
                    self.compare_message(suffix, expected, answers[suffix])
            self.differences += [f'{suffix} came' for suffix in step['never'] if suffix in answers]

    def compare_message(self, suffix, expected, seen):
        now = seen.get('timestamp') if isinstance(seen, dict) else None
        for key, value in expected.items():
            if not isinstance(seen, dict) or key not in seen:
                self.differences.append(f'{suffix} has no {key}')
            elif key == 'message':
                self.compare_text(suffix, value, seen[key])
            else:
                self.compare(f'{suffix} {key}', value, seen[key], key in ('state', 'metadata'), now)

    def compare_text(self, suffix, expected, seen):
        """Texts vary, and only the code counts: a difference is told, and is none."""
        expected = expected.replace("'T'", f"'{self.name or self.shadows.target.thing}'")
        if seen != expected:
            self.texts.append(f'{suffix} says "{seen}"')

    def compare(self, where, expected, seen, whole=False, now=None):
        """whole: nothing may be there that is not expected."""
        if expected in ('TS', 'T0'):
            good = isinstance(seen, int) and (now is None or (seen == now if expected == 'TS' else seen < now))
        elif where.endswith('version'):
            good = seen == expected + self.offset
        elif isinstance(expected, dict) and isinstance(seen, dict):
            for key, value in expected.items():
                if key not in seen:
                    self.differences.append(f'{where} lacks {key}')
                else:
                    self.compare(f'{where}/{key}', value, seen[key], whole, now)
            extra = sorted(set(seen) - set(expected)) if whole else []
            good = not extra
            seen = f'also {", ".join(extra)}' if extra else seen
        elif isinstance(expected, list) and isinstance(seen, list) and len(expected) == len(seen):
            for number, (one, other) in enumerate(zip(expected, seen)):
                self.compare(f'{where}/{number}', one, other, whole, now)
            good = True
        else:
            good = expected == seen and isinstance(expected, bool) == isinstance(seen, bool)
        if not good:
            self.differences.append(f'{where} is {json.dumps(seen)[:120]}, not {json.dumps(expected)[:120]}')

    def row(self):
        seen = '; '.join(self.differences + self.texts) or 'as expected'
        return {'id': self.id, 'fact': self.title, 'basis': self.vector['basis'].split(':')[0].split(' (')[0],
                'emulator': 'as the vector says', 'seen': seen,
                'verdict': 'differs' if self.differences else 'agrees', 'option': ''}


def run(path, shadows, wanted, tell):
    vectors = [Vector(vector, shadows) for vector in load(path) if wanted(vector['id'])]
    if vectors and shadows.classic:
        missing = next((one for one in load(path) if one['id'] == 'V19'), None)
        if missing and wanted('V19'):
            vectors.append(Vector({**missing, 'id': 'V19c', 'title': missing['title'] + ' (classic)'}, shadows, ''))
    for vector in vectors:
        vector.seed()
    time.sleep(1.1)  # timestamps are whole seconds; what was seeded has to be older
    rows = []
    for vector in vectors:
        vector.run()
        rows.append(vector.row())
        tell(rows[-1])
    return rows
