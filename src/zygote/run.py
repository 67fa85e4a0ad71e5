"""Runs what Python was called with, as Python does it: `-c CODE` or `-m MODULE`.

As a program, `run.py RECORD PYTHON ARGUMENT...`, it writes down which modules get imported."""

import os
import sys
import types

MAX_RECORDED = 1 << 20  # bytes; more than any model imports


class Recorder:
    """Finds no module; is asked first for each one that is not loaded yet."""

    def __init__(self, path):
        import fcntl

        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        # Low numbers belong to the program.
        self.fd = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 512)
        os.close(fd)
        self.left = MAX_RECORDED

    def find_spec(self, name, path=None, target=None):
        line = name.encode(errors="replace") + b"\n"
        self.left -= len(line)
        if self.left > 0:
            try:
                os.write(self.fd, line)
            except OSError:
                self.left = 0
        return None


def fresh_main():
    main = types.ModuleType("__main__")
    main.__dict__["__builtins__"] = sys.modules["builtins"]
    main.__dict__["__loader__"] = sys.modules["_frozen_importlib"].BuiltinImporter
    if hasattr(sys.modules["__main__"], "__annotations__"):  # not from Python 3.14 on
        main.__annotations__ = {}
    sys.modules["__main__"] = main
    return main.__dict__


def stand_as(arguments):
    """What a program finds of itself; `arguments` are those of the process, its name first."""
    sys.orig_argv[:] = arguments
    sys.argv[:] = [arguments[1], *arguments[3:]]
    if not getattr(sys.flags, "safe_path", False):
        sys.path.insert(0, "")
    return fresh_main()


def prepare(arguments, namespace):
    """What is left to call, of the process that stands as one with `arguments`."""
    kind, what = arguments[1:3]
    sys.orig_argv[:] = arguments
    sys.argv[:] = [kind, *arguments[3:]]
    if kind == "-c":
        return lambda: exec(compile(what, "<string>", "exec"), namespace)
    if "" in sys.path:
        sys.path[sys.path.index("")] = os.getcwd()
    import runpy

    return lambda: runpy._run_module_as_main(what, True)


def call(program):
    """Ends as Python ends; what comes out of it does not show that this was in between."""
    try:
        program()
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        sys.exit(1)


def main():
    record, *arguments = sys.argv[1:]
    if not getattr(sys.flags, "safe_path", False):
        del sys.path[0]
    try:
        sys.meta_path.insert(0, Recorder(record))
    except OSError:
        pass
    call(prepare(arguments, stand_as(arguments)))


if __name__ == "__main__":
    main()
