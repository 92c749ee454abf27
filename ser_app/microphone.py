"""The browser's microphone, over WebRTC, into a `Listener`.

What streamlit-webrtc 0.79 does and this module relies on or works around:

- Frames are 48 kHz, 16-bit, and *packed* stereo: an array `[1, 2·samples]` whose channels alternate.
- A sink's callback gets every frame. `audio_frame_callback` and the default receiver queue lose some.
- Its own buttons look like none of the app's; they are not drawn while `desired_playing_state` is True or False.
- The callback runs on the connections' shared event loop: it only hands frames over, and never calls `st.*`.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import streamlit as st

from ser_core.errors import ConfigError

if TYPE_CHECKING:
    import av
    from streamlit_webrtc import WebRtcStreamerContext

    from ser_core.serving.listener import Listener

ICE_VARIABLE = "SER_ICE_SERVERS"
"""Environment variable with STUN and TURN servers as a JSON list, for browsers on other networks than the server's."""

# The browser's processing is made for phone calls. The model was not trained on what it leaves.
CONSTRAINTS = {
    "video": False,
    "audio": {"echoCancellation": False, "noiseSuppression": False, "autoGainControl": False},
}
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")

# Reports what would keep a browser from sending sound, before anybody presses start, and again when it changes.
CHECK = """
export default function({ setStateValue }) {
  let stopped = false
  let permission = null
  let reported = ""
  const report = async () => {
    let problem = ""
    if (!window.isSecureContext) problem = "insecure"
    else if (!navigator.mediaDevices?.getUserMedia) problem = "unsupported"
    else {
      try {
        permission ??= await navigator.permissions.query({ name: "microphone" })
        permission.onchange = report
        if (permission.state === "denied") problem = "denied"
      } catch { permission = null }  // this browser doesn't tell
      const devices = await navigator.mediaDevices.enumerateDevices().catch(() => [])
      if (!problem && !devices.some(device => device.kind === "audioinput")) problem = "missing"
    }
    if (!stopped && problem !== reported) setStateValue("problem", reported = problem)
  }
  navigator.mediaDevices?.addEventListener("devicechange", report)
  report()
  return () => {
    stopped = true
    if (permission) permission.onchange = null
    navigator.mediaDevices?.removeEventListener("devicechange", report)
  }
}
"""
PROBLEMS = {
    "insecure": "Browsers give the microphone only to pages that come over https, or from this very machine. "
    "Open this page by https, or on the machine it runs on as `localhost`.",
    "unsupported": "This browser offers no microphone to web pages. Use a current Firefox, Chrome, Edge or Safari.",
    "denied": "This browser refuses the microphone to this page. Allow it in the browser's settings for this site (the "
    "icon left of the address), and load the page again.",
    "missing": "This browser sees no microphone. Plug one in, or switch it on in the system's settings.",
}

_check = st.components.v2.component("microphone_check", js=CHECK)


def show_problem() -> str | None:
    """Say what keeps the browser from sending sound, and what else can be done; the problem's name, or None."""
    # One container, there from the first run on: what is said later moves nothing that follows. The microphone's frame
    # would be loaded a second time if it moved, and Streamlit loses a component whose first loading is cut short.
    with st.container():
        found = _check(key="microphone-check", on_problem_change=lambda: None)
        problem = getattr(found, "problem", None) or ("insecure" if _is_plain_http(st.context.url) else None)
        if problem not in PROBLEMS:
            return None
        st.error(PROBLEMS[problem], icon=":material/mic_off:")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("Meanwhile, record on another device and classify the file:")
            st.page_link("pages/classify.py", label="Classify a recording", icon=":material/mic:")
        return problem


def _is_plain_http(url: str | None) -> bool:
    """Whether a page came unencrypted from another machine."""
    parts = urlsplit(url or "")
    return parts.scheme == "http" and parts.hostname not in LOCAL_HOSTS


def connect(listener: Listener, *, playing: bool) -> WebRtcStreamerContext:
    """Start or stop the microphone; while it plays, the listener hears it, and one can choose which it is.

    Args:
        playing: whether it is to play. streamlit-webrtc tries for as long as this is True, even where the browser
            refuses, and then doesn't say so in its state.

    Raises:
        ConfigError: the setting with STUN and TURN servers is malformed.
    """
    from streamlit_webrtc import WebRtcMode, create_audio_sink_track, webrtc_streamer

    def hear(frame: av.AudioFrame) -> None:
        listener.feed(samples_of(frame), frame.sample_rate)

    return webrtc_streamer(
        key="live",
        mode=WebRtcMode.SENDONLY,
        rtc_configuration={"iceServers": ice_servers()},
        media_stream_constraints=CONSTRAINTS,
        sink_audio_track=create_audio_sink_track(hear, key="live-sink"),
        desired_playing_state=playing,
        translations={
            "select_microphone": "Choose a microphone",
            "device_access_denied": PROBLEMS["denied"].replace("`", ""),
            "device_not_available": PROBLEMS["missing"],
            "media_api_not_available": PROBLEMS["insecure"].replace("`", ""),
        },
    )


def samples_of(frame: av.AudioFrame) -> np.ndarray:
    """A frame's samples, `[channels, samples]`: packed formats hold their channels alternating."""
    samples = frame.to_ndarray()
    return samples if frame.format.is_planar else samples.reshape(-1, len(frame.layout.channels)).T


def ice_servers() -> list[dict[str, Any]]:
    """STUN and TURN servers from `SER_ICE_SERVERS`; none is needed on one machine or network.

    Raises:
        ConfigError: it is not a JSON list of objects with `urls`.
    """
    text = os.environ.get(ICE_VARIABLE, "").strip() or "[]"
    try:
        servers = json.loads(text)
    except ValueError:
        servers = None
    if not isinstance(servers, list) or not all(isinstance(server, dict) and "urls" in server for server in servers):
        raise ConfigError(
            f'{ICE_VARIABLE} should be a JSON list as [{{"urls": "turn:turn.example.org", "username": "…", '
            '"credential": "…"}].'
        )
    return servers
