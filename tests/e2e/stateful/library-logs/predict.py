import logging
import sys
import warnings

import click
import rich
from absl import logging as absl_logging
from cog import BaseRunner
from loguru import logger
from rich.logging import RichHandler
from tqdm import tqdm

logging.basicConfig(level=logging.INFO)
logging.getLogger("rich-one").addHandler(RichHandler(show_time=False, show_path=False))


class Runner(BaseRunner):
    """Each way in which libraries write what belongs to the logs of a prediction."""

    def run(self) -> str:
        print("by print")
        print("by print to stderr", file=sys.stderr)
        logging.getLogger("own").info("by logging")
        logger.info("by loguru")
        absl_logging.warning("by absl")
        rich.print("by rich")
        logging.getLogger("rich-one").info("by a rich handler")
        click.echo("by click")
        tqdm.write("by tqdm")
        list(tqdm([1], desc="by a bar", mininterval=0))
        warnings.warn("by a warning")
        return "done"
