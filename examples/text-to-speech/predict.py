"""Reads a text aloud with flite, a small speech synthesizer without a neural network."""

import subprocess
import tempfile
import wave

from cog import BaseRunner, Input, Path, current_scope

VOICES = {"female": "slt", "male": "rms", "scottish": "awb", "robot": "kal16"}
TIMEOUT_S = 120


class Runner(BaseRunner):
    def setup(self) -> None:
        listed = subprocess.run(["flite", "-lv"], check=True, capture_output=True, text=True).stdout
        missing = set(VOICES.values()) - set(listed.split())
        if missing:
            raise RuntimeError(f"flite has no voice {', '.join(sorted(missing))}")

    def run(
        self,
        text: str = Input(description="English text to read", min_length=1, max_length=5000),
        voice: str = Input(description="Who reads", default="female", choices=list(VOICES)),
        speed: float = Input(description="1 is the voice's own speed, 2 is twice as fast", default=1.0, ge=0.5, le=2),
    ) -> Path:
        if not any(letter.isalnum() for letter in text):
            raise ValueError("text: nothing to read, expected letters or digits")
        folder = Path(tempfile.mkdtemp())
        # In a file: a text that begins with a dash, or is the name of a file, is only a text there.
        (folder / "text.txt").write_text(text.replace("\0", " "), encoding="utf-8")
        output = folder / "speech.wav"
        command = ["flite", "-voice", VOICES[voice], "--setf", f"duration_stretch={1 / speed:.4f}"]
        subprocess.run(
            command + ["-f", folder / "text.txt", "-o", output],
            check=True,
            stdin=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
        )
        with wave.open(str(output)) as speech:
            seconds = speech.getnframes() / speech.getframerate()
        print(f"{len(text)} characters, {seconds:.1f} s of speech")
        current_scope().record_metric("audio_seconds", round(seconds, 3))
        return output
