"""Hold the names of the status document and of the metrics against fluxaws-status(5), in both directions.

usage: status_names.py PAGE STATUS.json... METRICS.txt
The metrics go through the parser of the Prometheus client, which is strict about the format."""
import json
import re
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

page = open(sys.argv[1], encoding='utf-8').read()
wrong = []


def names(value, path=''):
    if isinstance(value, dict):
        for key, member in value.items():
            inner = f'{path}.{key}' if path else key
            yield from names(member, re.sub(r'^cloud\.causes\.\w+', 'cloud.causes.CAUSE', inner))
    elif isinstance(value, list):
        for element in value:
            yield from names(element, path + '[]')
    else:
        yield path


def compare(what, there, documented):
    wrong.extend(f'{name}: {what} has it, the page does not' for name in sorted(there - documented))
    wrong.extend(f'{name}: the page has it, {what} does not' for name in sorted(documented - there))


documents = [json.load(open(name)) for name in sys.argv[2:-1]]
fields = set(re.findall(r'^\*([a-z]\S*)\*$', page.split('# METRICS')[0], re.M))
compare('the status document', {name for document in documents for name in names(document)}, fields)
for cause in documents[0]['cloud']['causes']:
    if f'_{cause}_' not in page:
        wrong.append(f'the page does not explain the cause {cause}')

text = open(sys.argv[-1], encoding='utf-8').read()
families = list(text_string_to_metric_families(text))
documented = dict(re.findall(r'^\*(fluxaws_\S+)\*\n\t(.*)$', page, re.M))
total = {'counter': '_total', 'info': '_info'}
compare('fluxctl metrics', {family.name + total.get(family.type, '') for family in families}, set(documented))
for name, what in documented.items():
    field = re.match(r'_([a-zA-Z_.\[\]]+?)_(:|,|$)', what)
    if not name.endswith('_info') and (not field or field.group(1) not in fields):
        wrong.append(f'{name}: "{what}" does not begin with a field of the document')
for family in families:
    if not family.documentation or (family.unit and not family.name.endswith('_' + family.unit)):
        wrong.append(f'{family.name}: no help, or its unit is not in its name')

for line in wrong:
    print('#', line)
print(f'# {len(fields)} fields, {len(families)} families of metrics')
sys.exit(bool(wrong) or len(fields) < 100 or len(families) < 50)
