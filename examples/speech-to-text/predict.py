"""Writes down English speech, with the time of each word, with PocketSphinx."""

import array
import re
import subprocess

import pocketsphinx
from cog import BaseModel, BaseRunner, Input, Path, current_scope

RATE = 16000
BYTES_PER_SECOND = RATE * 2
MAX_SECONDS = 600
# Of 32,768. In a sound that is never louder the decoder would still find words.
QUIET = 100
# The decoder's own marks: silence, noise, and which pronunciation of a word it was.
MARK = re.compile(r"^[<\[+].*[>\]+]$")
PRONUNCIATION = re.compile(r"\(\d+\)$")


class Word(BaseModel):
    text: str
    start: float
    end: float
    confidence: float


class Output(BaseModel):
    text: str
    words: list[Word]
    seconds: float


class Runner(BaseRunner):
    def setup(self) -> None:
        self.decoder = pocketsphinx.Decoder(samprate=RATE, bestpath=True)

    def run(
        self,
        audio: Path = Input(description="Speech: WAV, MP3, FLAC, Ogg and whatever else ffmpeg reads, at most 10 minutes"),
        min_confidence: float = Input(
            description="Words that the model is less sure of are left out", default=0.0, ge=0, le=1
        ),
    ) -> Output:
        sound = read_sound(audio)
        found = [] if is_quiet(sound) else self.decode(sound)
        words = [word for word in found if word.confidence >= min_confidence]
        seconds = len(sound) / BYTES_PER_SECOND
        current_scope().record_metric("audio_seconds", round(seconds, 3))
        return Output(text=" ".join(word.text for word in words), words=words, seconds=round(seconds, 3))

    def decode(self, sound):
        # What it learnt about the last sound must not reach this run.
        self.decoder.reinit_feat()
        self.decoder.start_utt()
        self.decoder.process_raw(sound, full_utt=True)
        self.decoder.end_utt()
        frames_per_second = self.decoder.config["frate"]
        for segment in self.decoder.seg() or []:
            if MARK.match(segment.word):
                continue
            yield Word(
                text=PRONUNCIATION.sub("", segment.word),
                start=round(segment.start_frame / frames_per_second, 2),
                end=round((segment.end_frame + 1) / frames_per_second, 2),
                confidence=round(min(1.0, segment.prob), 4),
            )


def is_quiet(sound):
    samples = array.array("h", sound)
    return max(max(samples), -min(samples)) < QUIET


def read_sound(path):
    """The sound as the decoder wants it: one channel, 16 bits, 16,000 samples a second."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-protocol_whitelist", "file,pipe", "-i", str(path)]
    command += ["-vn", "-t", str(MAX_SECONDS + 1), "-ac", "1", "-ar", str(RATE)]
    ended = subprocess.run(command + ["-f", "s16le", "-"], capture_output=True)
    if ended.returncode != 0:
        raise ValueError(f"audio: ffmpeg cannot read it: {last_line(ended.stderr)}")
    if not ended.stdout:
        raise ValueError("audio: there is no sound in it")
    if len(ended.stdout) > MAX_SECONDS * BYTES_PER_SECOND:
        raise ValueError(f"audio: longer than {MAX_SECONDS} s")
    return ended.stdout


def last_line(output):
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no reason given"
