"""The one family of errors that a user can cause.

Every message is a sentence that says what was wrong and what to do. The command line prints it and exits 2;
the app shows it in place. Neither shows a traceback.
"""


class SERError(Exception):
    """Something the user gave or lacks; the message says what, and what to do about it."""


class AudioError(SERError):
    """Audio that can't be read or can't be used."""


class NoSpeechError(AudioError):
    """Audio that was read but holds no speech, or too little of it to classify."""


class NoVoiceError(NoSpeechError):
    """Audio that holds sound, of which none is recognised as a voice."""


class CorpusError(SERError):
    """A corpus, or a clip of one, that is missing, damaged or wrongly named."""


class ConfigError(SERError, ValueError):
    """A setting outside its range."""


class CheckpointError(SERError):
    """A checkpoint that is missing, damaged or of another format."""


class RunError(SERError):
    """A run's record that is missing, damaged or half-written."""


class DiskFullError(SERError):
    """A disk without room for what is to be written."""
