"""What visitors chose lives in the page's address: a copied address opens the same view, back and forward work.

A widget that is drawn here is bound to a parameter of its own name, and keeps its value while other pages are open.
Streamlit takes a wrong parameter out of the address without a word; here it is said.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException

from ser_app.messages import literal
from ser_app.navigation import ASKED_IN_VAIN, IS_NEW, OPEN_PAGE

FEW = 12  # choices that a sentence can name


def choose(
    widget: Callable[..., Any],
    label: str,
    options: Sequence[Any],
    *,
    key: str,
    format_func: Callable[[Any], str] = str,
    also: Collection[str] = (),
    **more: Any,
) -> Any:
    """A selectbox, multiselect, radio, segmented control or select slider that lives in the address.

    Args:
        widget: as `st.selectbox`.
        label: of the widget.
        options: to choose from.
        key: of the widget, and name of the parameter.
        format_func: what each option is called, also in the address.
        also: other values of the parameter, which the page understands itself.
        more: other arguments of the widget.
    """
    called = [format_func(option) for option in options]
    why = f"{label} is one of {', '.join(called)}" if len(called) <= FEW else ""
    say_unknown(key, known={*called, *also}, why=why)
    return widget(label, options, key=key, format_func=format_func, bind="query-params", **more)


def choose_titled(
    widget: Callable[..., Any], label: str, titles: Mapping[str, str], *, key: str, several: bool = False, **more: Any
) -> Any:
    """A widget as `choose` draws it, whose options have other names than pages call them; the address may have either.

    Args:
        widget: as `st.selectbox`, or as `st.multiselect` with `several`.
        label: of the widget.
        titles: what the options are called, by their names.
        key: of the widget, and name of the parameter.
        several: whether several may be chosen.
        more: other arguments of the widget.

    Returns:
        the name that is chosen, or with `several` a list of them.
    """
    if follow_names(titles, key, several=several):
        more.pop("default", None)  # Streamlit warns of a box that has both
    return choose(widget, label, list(titles), key=key, format_func=titles.__getitem__, also=titles.keys(), **more)


def names_in_address(titles: Mapping[str, str], key: str) -> list[str]:
    """Names of what the address asks for, by their names or by what they are called."""
    asked = st.query_params.get_all(key)
    return [name for name, title in titles.items() if name in asked or title in asked]


def follow_names(titles: Mapping[str, str], key: str, *, several: bool) -> bool:
    """Let the box that is drawn after this follow an address that has names.

    The box itself writes what they are called to the address, and takes nothing else from there: it would cut names
    off.

    Args:
        titles: what can be chosen in the box is called, by its name.
        key: of the box.
        several: whether several can be chosen in it.

    Returns:
        whether the box has its value from there.
    """
    if named := bool(titles.keys() & set(st.query_params.get_all(key))):
        asked = names_in_address(titles, key)[: None if several else 1]
        st.session_state[key] = asked if several else asked[0]
        called = [titles[name] for name in asked]
        if st.query_params.get_all(key) != called:  # the name of one may be what another is called
            try:
                st.query_params[key] = called
            except StreamlitAPIException:  # the box is drawn already, and writes it: this run began before it had
                return named
            st.rerun()  # the box reads what the address was when the page began
    return named


def choose_number(
    slider: Callable[..., Any], label: str, low: int, high: int, value: int | tuple[int, int], *, key: str, **more: Any
) -> Any:
    """A slider of whole numbers from `low` to `high` that lives in the address, of one number or of two."""
    unknown = [one for one in st.query_params.get_all(key) if not (_is_whole(one) and low <= int(one) <= high)]
    _say(key, unknown, f"{label} is a whole number from {low} to {high}")
    return slider(label, low, high, value, key=key, bind="query-params", **more)


def choose_named(widget: Callable[..., Any], label: str, options: Mapping[str, str], *, key: str, **more: Any) -> str:
    """A widget of one choice whose options have other names in the address than on the page; the first by itself.

    Args:
        widget: as `st.segmented_control`.
        label: of the widget.
        options: what they are called on the page, by their names in the address.
        key: of the widget, and name of the parameter.
        more: other arguments of the widget.
    """
    widget_key = f"{key}-{st.session_state.get(OPEN_PAGE)}"  # another page has another first choice
    remembered = f"{widget_key}-shown"
    asked, shown = st.query_params.get(key), st.session_state.get(remembered)
    first = next(iter(options))
    unknown = [asked] if asked is not None and asked not in options else []
    _say(key, unknown, f"{label} is one of {', '.join(options)}")
    if asked in options and asked != shown:
        st.session_state[widget_key] = asked
    elif st.session_state.get(widget_key) not in options:
        st.session_state[widget_key] = shown if shown in options else first
    elif shown == st.session_state[widget_key] != first and gone_back(key, shown):
        st.session_state[widget_key] = first
    chosen: str = widget(label, list(options), format_func=options.__getitem__, key=widget_key, **more)
    st.session_state[remembered] = chosen
    if chosen == first:
        st.query_params.pop(key, None)
    else:
        st.query_params[key] = chosen
    return chosen


def switch(
    label: str, *, key: str, value: bool = False, help: str | None = None, toggle: Callable[..., Any] = st.toggle
) -> bool:
    """A toggle that lives in the address.

    Args:
        label: of the widget.
        key: of the widget, and name of the parameter.
        value: what it is to begin with.
        help: of the widget.
        toggle: `st.toggle`, or that of a container.
    """
    say_unknown(key, known={"true", "false"}, why="it is true or false")
    is_on: bool = toggle(label, value, key=key, help=help, bind="query-params")
    return is_on


def gone_back(key: str, shown: str | None) -> bool:
    """Whether the visitor went back to where nothing was chosen yet: the address doesn't have it any more.

    On a page that was just opened, an address that names nothing is a link's, which opens what was left there.

    Args:
        key: the parameter.
        shown: what the page had for it in the address, at the last run.
    """
    return bool(shown) and not st.session_state.get(IS_NEW) and key not in st.query_params


def asked_for(keys: Iterable[str]) -> bool:
    """Whether the address had any of these parameters when the page was opened: what they belong to is shown, then."""
    keys = list(keys)
    asked: bool = st.session_state.setdefault(f"asked-{'-'.join(keys)}", any(key in st.query_params for key in keys))
    return asked


def _is_whole(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and text.isascii()


def say_unknown(key: str, *, known: Collection[str], why: str = "") -> None:
    """Say which values of a parameter aren't known, if any aren't, and why."""
    unknown = [value for value in st.query_params.get_all(key) if value and value not in known]
    _say(key, unknown, why or "there is none of that name")


def _say(key: str, unknown: Sequence[str], why: str) -> None:
    """Say what the address asks for in vain, until it asks for something else, or another page is opened."""
    said = st.session_state.setdefault(ASKED_IN_VAIN, {})
    if unknown:
        shown = ", ".join(literal(value[:60]) for value in unknown[:3])
        said[key] = f"The address asks for {literal(key)}={shown}, which this page doesn't have: {why}."
    elif key in st.query_params:
        said.pop(key, None)
    if key in said:
        st.warning(said[key])
