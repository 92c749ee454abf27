"""The app for other people: streamlit_app.py, with headers that tell browsers what its pages may do.

streamlit run serve.py
"""

from __future__ import annotations

from streamlit.starlette import App

from ser_app.headers import SECURED

app = App("streamlit_app.py", middleware=[SECURED])
