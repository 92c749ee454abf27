"""The app for other people: streamlit_app.py, for as many at once as the machine is good for, with headers that tell
browsers what its pages may do.

streamlit run serve.py
"""

from __future__ import annotations

from streamlit.starlette import App

from ser_app.headers import SECURED
from ser_app.room import for_others

for_others()
app = App("streamlit_app.py", middleware=[SECURED])
