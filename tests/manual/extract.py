#!/usr/bin/env python3
"""extract.py PAGE OUT - the examples of a page of the manual, as C."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / 'lint'))
from page import PRELUDE, Page  # noqa: E402

path, out = map(Path, sys.argv[1:])
page = Page(str(path), path.read_text(encoding='utf-8'))
if not page.examples:
    sys.exit(f'{path} has no example')
text = PRELUDE
for line, lines in page.examples:
    text += f'#line {line} "{path}"\n' + '\n'.join(lines) + '\n'
out.write_text(text, encoding='utf-8')
