"""Writes the input without its copies, and brings them back.

``plan`` says which places go, from the findings of a scan; a cutter for each format (``text``, ``markdown``, ``html``,
``jsonl``, ...) turns them into pieces of the source; ``manifest`` keeps what went, ``restore`` puts it back.
"""
