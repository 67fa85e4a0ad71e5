import hashlib
import os


def told(name):
    """The value of a variable, and a proof of it that nobody replaces."""
    value = os.environ.get(name, "")
    return f"{value} {hashlib.sha256(value.encode()).hexdigest()}"
