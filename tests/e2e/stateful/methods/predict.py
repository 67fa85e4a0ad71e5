import concurrent.futures
import multiprocessing

from cog import BaseRunner, Input

METHODS = ["fork", "spawn", "forkserver", "queue", "early", "threads"]


def square(x: int) -> int:
    return x * x


class Runner(BaseRunner):
    """Work in other processes, which have to find this file."""

    def setup(self):
        self.early = multiprocessing.get_context("fork").Pool(1)

    def run(self, method: str = Input(choices=METHODS)) -> str:
        if method == "early":
            return str(self.early.map(square, range(4)))
        if method == "threads":
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                return str(list(pool.map(square, range(4))))
        if method == "queue":
            context = multiprocessing.get_context("spawn")
            queue = context.Queue()
            process = context.Process(target=queue.put, args=([square(x) for x in range(4)],))
            process.start()
            value = queue.get(timeout=60)
            process.join()
            return str(value)
        context = multiprocessing.get_context(method)
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
            return str(list(pool.map(square, range(4))))
