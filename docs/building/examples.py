"""Examples as a reader copies them: the code without prompts, and what it prints in a block below."""

import doctest
import re

BLOCK = re.compile(r"^(?P<indent> *)```python\n(?P<body>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE)

OUTPUT = "``` { .text .output .no-copy }"


def without_prompts(markdown: str) -> str:
    r"""The page with each block of `>>>` as code to copy, and its output under it.

    ```python
    >>> print(without_prompts("```python\n>>> 1 + 1\n2\n\n```").replace("`", "'"))
    '''python
    1 + 1
    '''
    <BLANKLINE>
    ''' { .text .output .no-copy }
    2
    '''
    <BLANKLINE>

    ```
    """
    return BLOCK.sub(_block, markdown.replace("```\n\n```text\n", f"```\n\n{OUTPUT}\n"))


def _block(match: re.Match[str]) -> str:
    indent = match["indent"]
    body = "\n".join(line[len(indent) :] for line in match["body"].split("\n"))
    if ">>> " not in body:
        return match[0]
    made, code = [], ""
    for example in doctest.DocTestParser().get_examples(body):
        code += example.source
        if example.want:
            made += [f"```python\n{code}```\n", f"{OUTPUT}\n{_shown(example.want)}```\n"]
            code = ""
    if code:
        made.append(f"```python\n{code}```\n")
    return "\n".join(f"{indent}{line}".rstrip() for line in "\n".join(made).split("\n"))


def _shown(want: str) -> str:
    return want.replace("<BLANKLINE>", "")
