"""Rows are chosen by their cells as well as by their boxes; that a click reports a cell is tested in a browser."""

from streamlit.testing.v1 import AppTest

from tests.app.helpers import texts


def one_of_three() -> None:
    import pandas as pd
    import streamlit as st

    from ser_app.tables import choose_row

    table = pd.DataFrame({"a": ["x", "y", "z"]})
    st.text(f"required {choose_row(table, 'required')}")
    st.text(f"optional {choose_row(table, 'optional', required=False)}")
    st.text(f"empty {choose_row(table[:0], 'empty')}")


def several_of_three() -> None:
    import pandas as pd
    import streamlit as st

    from ser_app.tables import choose_rows

    table = pd.DataFrame({"a": ["x", "y", "z"]})
    choose_rows(table, st.session_state.get("mine", [1]), "several", lambda rows, alone: None)
    st.text(f"ticked {st.session_state['several']['selection']['rows']}")


def test_a_row_is_always_chosen_where_it_has_to_be():
    app = AppTest.from_function(one_of_three).run()
    assert not app.exception
    assert "required 0" in texts(app)
    assert "optional None" in texts(app)
    assert "empty None" in texts(app)
    for key in ("required", "optional"):
        app.session_state[key] = {"selection": {"rows": [2], "columns": [], "cells": [(2, "a")]}}
    app.run()
    assert "required 2" in texts(app)
    assert "optional 2" in texts(app)


def test_ticks_follow_what_is_chosen_elsewhere():
    app = AppTest.from_function(several_of_three).run()
    assert "ticked [1]" in texts(app)
    app.session_state["mine"] = [0, 2]
    app.run()
    assert not app.exception
    assert "ticked [0, 2]" in texts(app)
