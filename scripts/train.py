"""Train a CycleGAN: `cyclegan train` under the guide's name.

python scripts/train.py
python scripts/train.py --domain-a data/mine.npz --domain-b data/BATCH_UPLOAD.npz --checkpoint-dir checkpoints
"""

import sys

from cyclegan_lib.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
