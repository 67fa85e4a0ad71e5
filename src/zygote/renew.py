"""What a fork has to have of its own, beside what imports were told."""

import atexit
import os
import sys
import threading

OPENSSL_SEED = 48  # bytes


def forget_folders():
    """Those that were not there, and those that were looked for from where the zygote was."""
    for path in [p for p, finder in sys.path_importer_cache.items() if finder is None or p[:1] != "/"]:
        del sys.path_importer_cache[path]


def renew_chance():
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        numpy.seed()
    generator = getattr(sys.modules.get("torch"), "default_generator", None)
    if generator is not None:
        generator.seed()
    ssl = sys.modules.get("_ssl")
    if ssl is not None:
        ssl.RAND_add(os.urandom(OPENSSL_SEED), OPENSSL_SEED)
    process = sys.modules.get("multiprocessing.process")
    if process is not None:
        key = process.AuthenticationString(os.urandom(32))
        process.current_process()._config["authkey"] = key


def renew_main_thread():
    thread = threading.main_thread()
    if hasattr(thread, "_native_id"):
        thread._native_id = threading.get_native_id()


def renew(traces, is_model_server):
    forget_folders()
    renew_chance()
    renew_main_thread()
    tempfile = sys.modules.get("tempfile")
    if tempfile is not None:
        tempfile.tempdir = None
    traces.renew(os.environ)
    if is_model_server:
        # It has made none of the imports.
        atexit._clear()
