"""What is read aloud is written down again."""

import io
import wave

import pytest

from shelf import data_uri

TEXT = "the quick brown fox jumps over the lazy dog"


@pytest.fixture(scope="module")
def speech(shelf):
    return shelf.file("text-to-speech", text=TEXT)


def seconds_of(sound):
    with wave.open(io.BytesIO(sound)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)
        return file.getnframes() / file.getframerate()


def test_speech_is_understood(shelf, speech):
    output = shelf.output("speech-to-text", audio=data_uri(speech, "speech.wav"))
    assert output["text"] == TEXT
    assert output["seconds"] == pytest.approx(seconds_of(speech), abs=0.01)
    words = output["words"]
    assert [word["text"] for word in words] == TEXT.split()
    ends = [0, *(time for word in words for time in (word["start"], word["end"]))]
    assert ends == sorted(ends) and ends[-1] <= output["seconds"]
    assert all(0 < word["confidence"] <= 1 for word in words)


def test_the_same_text_is_the_same_sound(shelf, speech):
    assert shelf.file("text-to-speech", text=TEXT) == speech


def test_a_transcript_does_not_depend_on_the_one_before(shelf, speech):
    other = shelf.file("text-to-speech", text="Good morning, and welcome.", voice="male")
    sounds = [data_uri(sound, "speech.wav") for sound in (speech, other, other, speech)]
    outputs = [shelf.output("speech-to-text", audio=sound) for sound in sounds]
    assert outputs[0] == outputs[3] and outputs[1] == outputs[2]
    assert outputs[1]["text"] != outputs[0]["text"]


def test_speed_and_voice_are_heard(shelf, speech):
    slow = shelf.file("text-to-speech", text=TEXT, speed=0.5)
    assert seconds_of(slow) > 1.7 * seconds_of(speech)
    assert shelf.file("text-to-speech", text=TEXT, voice="robot") not in (speech, slow)


def test_a_text_is_no_option_and_no_file_name(shelf):
    assert seconds_of(shelf.file("text-to-speech", text="-o cog.yaml")) > 0.5


def test_nothing_to_read(shelf):
    assert "nothing to read" in shelf.error("text-to-speech", text=" ... ")


def test_silence_has_no_words(shelf):
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((2, 2, 44100, 0, "NONE", ""))
        sound.writeframes(bytes(4 * 44100))
    output = shelf.output("speech-to-text", audio=data_uri(file.getvalue(), "silence.wav"))
    assert (output["text"], output["words"], output["seconds"]) == ("", [], 1.0)


def test_what_is_no_sound_is_refused(shelf):
    assert "ffmpeg cannot read it" in shelf.error("speech-to-text", audio=data_uri(b"no sound", "a.wav"))
