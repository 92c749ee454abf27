"""Sentences as pages show them: errors, and lists of what was left out."""

from __future__ import annotations

import re

import streamlit as st

# What Markdown, and Streamlit's additions to it, take for more than text: also at a word's edge, and at the beginning.
MARKDOWN = re.compile(r"[\\`*\[\]<$~&]|(?<![^\W_])_|_(?![^\W_])|:(?=[a-z+]|\d\w*:)|^[#>+-]", re.IGNORECASE)
LIST_ITEM = re.compile(r"^(\d+)([.)])")
# An address that becomes a link by itself: it is looked for in the text that is left, so no backslash helps.
ADDRESS = re.compile(r"https?:(?=//)|www(?=\.)|@", re.IGNORECASE)
WORD_JOINER = "\u2060"  # takes no room, and breaks an address in two


def literal(text: str) -> str:
    """Text in which Markdown finds nothing to do: names of files, runs and checkpoints may hold any character."""
    escaped = LIST_ITEM.sub(r"\1\\\2", MARKDOWN.sub(r"\\\g<0>", re.sub(r"\s+", " ", text)))
    return ADDRESS.sub(rf"\g<0>{WORD_JOINER}", escaped)


def sentence(message: object) -> str:
    """A message as Markdown: what stands between backticks, as commands do, is code, and all else is literal."""
    parts = re.split(r"(`[^`\n]+`)", str(message))
    return "".join(part if i % 2 else literal(part) for i, part in enumerate(parts))


def show_unreadable(unreadable: dict[str, str], what: str = "record") -> None:
    """List the records, or what else is said, that were left out, and why."""
    if not unreadable:
        return
    n = len(unreadable)
    with st.expander(f"{n} {what}{'s' * (n > 1)} can't be read", icon=":material/warning:"):
        for reason in unreadable.values():
            st.text(reason)
