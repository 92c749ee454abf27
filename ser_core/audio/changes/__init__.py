"""What microphones, rooms, lines and software do to a recording: pure functions of float32 `[samples]` at 16 kHz.

Each takes its parameters in units and, where it is random, a `numpy.random.Generator`. None of them clips: a result may
go beyond ±1, as samples in floating point can.
"""
