import os
import shutil
import time

from cog import BasePredictor, Path


def write_by_its_path(path):
    """The version's own file, by the path that it has on the machine."""
    try:
        with open(path, "a") as file:
            file.write("# by another instance\n")
    except OSError as error:
        return error.strerror
    return "written"


class Predictor(BasePredictor):
    """Writes beside its source, under names that are always the same."""

    def setup(self):
        # Fails where another start has left its file.
        with open("setup.txt", "x") as file:
            file.write("made in setup")

    def predict(self, tag: str = "", seconds: float = 0, spoil: str = "") -> Path:
        with open("result.txt", "w") as file:
            file.write(tag)
        time.sleep(seconds)
        if spoil:
            self.spoil(spoil)
        return Path("result.txt")

    def spoil(self, pushed_to):
        with open("pushed/note.txt") as file:
            assert file.read() == "as pushed\n"
        print("by its path:", write_by_its_path(pushed_to))
        with open("pushed/note.txt", "a") as file:
            file.write("spoiled")
        shutil.rmtree("pushed")
        os.mkdir("pushed")
        os.remove("predict.py")
        with open(".cog/openapi_schema.json", "w") as file:
            file.write("{}")
        with open("../above.txt", "w") as file:
            file.write("beside the folder")
