"""What Live draws anew twice a second, as plain HTML.

With four Plotly charts here, Chromium took 0.72 of a core while it listened, for 3,951 changes of the page a second;
with this it takes 0.25, for 4. Charts that stay are Plotly's everywhere.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape

import numpy as np
import plotly.colors
from PIL import Image

from ser_core.analysis.colors import ACCENT, EMOTION_COLORS
from ser_core.analysis.figures import HERTZ_TICKS, MAGMA, envelope
from ser_core.audio import SAMPLE_RATE
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.features.config import FeatureConfig
from ser_core.features.filterbanks import mel_frequencies
from ser_core.features.mel import log_mel
from ser_core.words import percent

QUIETEST_DB = -80.0  # of the mel spectrogram's colours
QUIET_PEAK = 0.05  # of the waveform: below it, a window is drawn as quiet as it is
POINTS = 300  # of the waveform
COARSE = FeatureConfig(mel_hop_length=512)  # half the columns: the picture is sent twice a second
SMALL = "font-size:0.75rem;opacity:0.75"
AXIS = f"display:flex;justify-content:space-between;{SMALL}"
LEFT = "margin-left:3.2rem"  # room for what is written beside an axis
FILL = "display:block;width:100%;height:100%"
GRID = "#808080"  # seen on light and on dark
OVER = 0.65  # opacity of what is over: plainly dimmed, and still to be read


def answer(headline: str, detail: str, when: str, *, color: str = GRID, over: bool = False, heard: float = 0.0) -> str:
    """The label of an utterance, with what stands below and above it; dimmed once it is over.

    Args:
        heard: up to when the sound is that the label is of, in seconds since listening began: benchmarks read it.
    """
    return (
        f'<div class="utterance" data-over="{str(over).lower()}" data-heard="{heard:.2f}" style="'
        f'border-left:0.4rem solid {color};padding-left:0.8rem;opacity:{OVER if over else 1}">'
        f'<div style="font-size:0.875rem">{escape(when)}</div>'
        f'<div class="utterance-label" style="font-size:2.25rem;line-height:1.2">{escape(headline)}</div>'
        f'<div style="font-size:0.875rem">{escape(detail)}</div></div>'
    )


def listed(rows: Sequence[tuple[str, str, str, str]]) -> str:
    """A table of utterances: rows of colour, label, time and model score."""
    lines = "".join(
        f'<tr><td style="padding:0.15rem 0.8rem 0.15rem 0.5rem;border-left:0.4rem solid {color}">{escape(label)}</td>'
        f'<td style="padding-right:0.8rem;white-space:nowrap">{escape(when)}</td><td>{escape(score)}</td></tr>'
        for color, label, when, score in rows
    )
    head = "".join(f'<th style="text-align:left;font-weight:normal;{SMALL}">{h}</th>' for h in ("Label", "When", ""))
    return (
        f'<table class="utterances" style="font-size:0.875rem;border-collapse:separate;border-spacing:0 0.25rem">'
        f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"
    )


def bars(shares: Mapping[str, float]) -> str:
    """A bar for each emotion, of its share in 0..1."""
    cells = "".join(
        f'<span style="text-align:right">{EMOTION_NAMES[emotion]}</span>'
        f'<span style="height:1.35rem;width:{shares[emotion]:.1%};min-width:2px;background:{EMOTION_COLORS[emotion]}">'
        f"</span><span>{percent(shares[emotion], 0)}</span>"
        for emotion in EMOTIONS
    )
    return (
        f'<div role="img" aria-label="{_spoken(shares)}" style="display:grid;grid-template-columns:auto 1fr 2.6rem;'
        f'gap:0.5rem 0.6rem;align-items:center;font-size:0.875rem;margin-top:0.5rem">{cells}</div>'
    )


def heard(audio: np.ndarray) -> str:
    """Waveform and mel spectrogram of float32 `[samples]` at 16 kHz, which end now.

    Unlike in a recording, silence is drawn flat and dark, not magnified.
    """
    audio = audio if len(audio) else np.zeros(SAMPLE_RATE, np.float32)
    peak = max(float(np.abs(audio).max()), 1e-5)
    seconds = len(audio) / SAMPLE_RATE
    wave = _line(_outline(audio, max(peak, QUIET_PEAK)), f"fill:{ACCENT};stroke:{ACCENT};stroke-width:0.6")
    picture = _picture(log_mel(audio, COARSE) + min(20 * np.log10(peak / QUIET_PEAK), 0.0))
    return (
        f'<div role="img" aria-label="Waveform and mel spectrogram of the last {seconds:.1f} seconds">'
        f'<div style="{LEFT};height:8rem">{_svg(wave)}</div>'
        f'<div style="{LEFT};height:11.5rem;position:relative;margin-top:0.5rem">'
        f"{_image('png', picture)}{_frequencies()}</div>"
        f"{_axis(_times_ago(seconds))}</div>"
    )


def timeline(rows: Sequence[tuple[float, float, Mapping[str, float] | None]]) -> str:
    """Lines of the six shares over time: rows of (start, end, shares or None where nobody speaks), drawn at the end."""
    first, last = (rows[0][0], rows[-1][1]) if rows else (0.0, 1.0)
    width = max(last - first, 1e-3)
    lines = "".join(
        _line(
            _path([((end - first) / width, 1 - shares[emotion]) if shares else None for _, end, shares in rows]),
            f"fill:none;stroke:{EMOTION_COLORS[emotion]};stroke-width:2.5;stroke-linecap:round;stroke-linejoin:round",
        )
        for emotion in EMOTIONS
    )
    legend = "".join(
        f'<span style="white-space:nowrap"><span style="display:inline-block;width:0.8rem;height:0.8rem;'
        f'margin-right:0.35rem;vertical-align:-0.08rem;background:{EMOTION_COLORS[emotion]}"></span>'
        f"{EMOTION_NAMES[emotion]}</span>"
        for emotion in EMOTIONS
    )
    grid = _line("M0 0H1M0 .5H1M0 1H1", f"stroke:{GRID};stroke-width:1;opacity:0.35")
    marks = "".join(_mark(f"{1 - share:.0%}", percent(share, 0)) for share in (0.0, 0.5, 1.0))
    ticks = [f"{first + share * width:.0f} s" for share in (0.0, 0.5, 1.0)] if rows else []
    return (
        f'<div role="img" aria-label="Emotion over time"><div style="display:flex;flex-wrap:wrap;gap:0.2rem 1rem;'
        f'font-size:0.875rem;margin-bottom:0.7rem">{legend}</div>'
        f'<div style="{LEFT};height:9rem;position:relative">{_svg(grid + lines)}{marks}</div>'
        f"{_axis(ticks)}</div>"
    )


def _spoken(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{EMOTION_NAMES[emotion]} {percent(shares[emotion], 0)}" for emotion in EMOTIONS)


def _svg(content: str) -> str:
    """A drawing from (0, 0) to (1, 1), stretched to what it stands in; Streamlit takes it out unless it is an image."""
    space = 'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1" preserveAspectRatio="none"'
    return _image("svg+xml", f"<svg {space}>{content}</svg>".encode())


def _image(kind: str, content: bytes) -> str:
    return f'<img src="data:image/{kind};base64,{base64.b64encode(content).decode()}" alt="" style="{FILL}">'


def _line(path: str, style: str) -> str:
    return f'<path d="{path}" vector-effect="non-scaling-stroke" style="{style}"/>'


def _path(points: Sequence[tuple[float, float] | None]) -> str:
    """Lines through points, and none where one is missing; a point alone is a dot."""
    steps, drawing = [], False
    for point in points:
        if point:
            steps.append(f"{'L' if drawing else 'M'}{point[0]:.4f} {point[1]:.3f}{'' if drawing else 'h0'}")
        drawing = point is not None
    return "".join(steps)


def _outline(audio: np.ndarray, peak: float) -> str:
    """Around the waveform, from its highest samples to the right and back along its lowest."""
    times, low, high = envelope(audio, POINTS)
    across = times * SAMPLE_RATE / len(audio)
    x, y = np.concatenate((across, across[::-1])), np.concatenate((high, low[::-1]))
    return "M" + "L".join(f"{a:.4f} {0.5 - b / peak / 2:.3f}" for a, b in zip(x, y, strict=True)) + "Z"


@cache
def _palette() -> list[int]:
    """Red, green and blue of 256 colours, from quiet to loud."""
    colors = plotly.colors.sample_colorscale(MAGMA, np.linspace(0, 1, 256).tolist(), colortype="tuple")
    return [round(255 * part) for color in colors for part in color]


def _picture(log_mel_db: np.ndarray) -> bytes:
    """`[n_mels, frames]` in dB as a PNG file, low frequencies below."""
    levels = np.clip((log_mel_db[::-1] - QUIETEST_DB) / -QUIETEST_DB, 0, 1)
    image = Image.fromarray(np.round(255 * levels).astype(np.uint8)).convert("P")
    image.putpalette(_palette())
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()


@cache
def _frequencies() -> str:
    """What is written beside the mel spectrogram."""
    bands = mel_frequencies(COARSE.n_mels, COARSE.fmax)
    ticks = [hertz for hertz in HERTZ_TICKS if hertz <= bands[-1]]
    heights = 1 - np.interp(ticks, bands, np.linspace(0, 1, len(bands)))
    return "".join(_mark(f"{height:.0%}", _hertz(hertz)) for height, hertz in zip(heights, ticks, strict=True))


def _hertz(hertz: float) -> str:
    return f"{hertz / 1000:g} kHz" if hertz >= 1000 else f"{hertz:g} Hz"


def _mark(top: str, text: str) -> str:
    """Text to the left of a drawing, so far down."""
    place = f"position:absolute;right:calc(100% + 0.4rem);top:calc({top} - 0.55rem);white-space:nowrap"
    return f'<span style="{place};{SMALL}">{text}</span>'


def _axis(ticks: Sequence[str]) -> str:
    """Text below a drawing, from its left end to its right end."""
    return f'<div style="{LEFT};margin-top:0.3rem;{AXIS}">{"".join(f"<span>{tick}</span>" for tick in ticks)}</div>'


def _times_ago(seconds: float) -> list[str]:
    return [f"{seconds:.1f} s ago", f"{seconds / 2:.1f} s", "now"]
