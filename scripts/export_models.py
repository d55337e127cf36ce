"""Export a checkpoint's networks: `cyclegan export` under the guide's name.

python scripts/export_models.py --checkpoint checkpoints/best.ckpt --output-dir exported_models
"""

import sys

from cyclegan_lib.cli import main

if __name__ == "__main__":
    sys.exit(main(["export", *sys.argv[1:]]))
