"""Compare what fluxctl status shows on stdin with the block of a page that stands for the same situation:
the words must be the same, figures, times and ports may differ.

usage: status_shape.py PAGE SITUATION [write]
The block follows a line <!-- status: SITUATION -->. With "write" it is replaced."""
import re
import sys

name, situation = sys.argv[1:3]
page = open(name, encoding='utf-8').read()
shown = sys.stdin.read().rstrip('\n')
block = re.search(r'(<!-- status: ' + re.escape(situation) + r' -->\n```\n)(.*?)(\n```)', page, re.S)
if not block:
    sys.exit(f'# {name} has no block for {situation}')


def shape(text):
    text = re.sub(r'\d{4}-\d\d-\d\d( \d\d:\d\d)?', 'DATE', text)
    text = re.sub(r'\b\d+ (s|min|h|d)( \d+ (s|min|h))?(?!\w)', 'TIME', text)
    text = re.sub(r'\b[\d.]+ (B|KB|MB|GB)\b', 'SIZE', text)
    text = re.sub(r'\b(attempt|connection|operation|message|update|report)s?\b', r'\1', text)
    text = re.sub(r'\d+', 'N', text)
    return ' '.join(text.split())


if sys.argv[3:] == ['write']:
    page = page[:block.start(2)] + shown + page[block.end(2):]
    open(name, 'w', encoding='utf-8').write(page)
    sys.exit()
expected, found = shape(block.group(2)), shape(shown)
if expected != found:
    print(f'# {situation}: the page says\n#   {expected}\n# and it is\n#   {found}')
sys.exit(expected != found)
