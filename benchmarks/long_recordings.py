"""Memory and time of classifying one hour and three hours of stereo m4a, which are read part by part."""

from __future__ import annotations

import itertools
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import load_audio
from ser_core.corpus.folder import Corpus

RATE, BITRATE = 44_100, 96_000
MINUTES = 10  # of clips, one after another; they are repeated as often as it takes
HOURS = (1, 3)
CHECKPOINT = "lr0.001-SiLU-2D"
MEASURE = """
import resource, sys, time
from ser_core import Predictor
from ser_core.audio.mono import mono_parts
from ser_core.audio.decode import Recording

def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000

predictor = Predictor.load(sys.argv[1])
predictor(sys.argv[2])
start, began, cpu = megabytes(), time.perf_counter(), time.process_time()
if sys.argv[4] == "decode":
    for part in mono_parts(Recording(sys.argv[3])):
        pass
else:
    predictor(sys.argv[3])
wall, cpu = time.perf_counter() - began, time.process_time() - cpu
print(f"{megabytes() - start:,.0f} MB over the start ({start:,.0f} MB), {wall:.1f} s ({cpu:.1f} s of processor time)")
"""


def write_m4a(path: Path, waveform: np.ndarray, repeats: int) -> None:
    """`[samples]` at 16 kHz, on both channels and as often as that, as a phone would record it."""
    import soxr

    samples = soxr.resample(waveform, SAMPLE_RATE, RATE)
    with av.open(path, "w", format="ipod") as output:
        stream = output.add_stream("aac", rate=RATE, layout="stereo")
        assert isinstance(stream, av.AudioStream)
        stream.bit_rate = BITRATE
        packets = []
        for start in range(0, len(samples), RATE):
            frame = av.AudioFrame.from_ndarray(
                np.tile(samples[start : start + RATE], (2, 1)), format="fltp", layout="stereo"
            )
            frame.sample_rate, frame.pts = RATE, start
            packets += stream.encode(frame)
        packets += stream.encode(None)
        output.start_encoding()
        contents, length = [bytes(packet) for packet in packets], 1024
        for number, content in enumerate(itertools.chain.from_iterable(itertools.repeat(contents, repeats))):
            packet = av.Packet(content)
            packet.stream, packet.time_base = stream, Fraction(1, RATE)
            packet.pts = packet.dts = number * length
            packet.duration = length
            output.mux(packet)


def main() -> None:
    """Print memory and time of reading alone, and of classifying."""
    corpus = Corpus.open()
    clips = [corpus.path(name) for name in sorted(corpus.present)]
    waveform = np.concatenate([load_audio(clip) for clip in clips[:400]])[: MINUTES * 60 * SAMPLE_RATE]
    with tempfile.TemporaryDirectory() as folder:
        for hours in HOURS:
            file = Path(folder) / f"{hours}.m4a"
            write_m4a(file, waveform, hours * 60 // MINUTES)
            for what, said in (("decode", "read"), ("classify", f"classified by {CHECKPOINT}")):
                command = [sys.executable, "-c", MEASURE, CHECKPOINT, str(clips[0]), str(file), what]
                run = subprocess.run(command, capture_output=True, text=True, check=True)
                print(
                    f"{hours} h of m4a ({file.stat().st_size / 1e6:.0f} MB), {said}: {run.stdout.strip()}", flush=True
                )


if __name__ == "__main__":
    main()
