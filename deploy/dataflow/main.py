"""Start the stream on Dataflow from a Flex Template: what its launcher runs in the image."""

import os
import sys

from pipelines.engines.flex import launch
from wirewatch.clock import SystemClock

if __name__ == "__main__":
    launch(sys.argv[1:], os.environ, SystemClock())
