"""An example of each command, the last lines of its help."""

EXAMPLES = {
    "run": """
cyclegan run --name plant -p recordings_a recordings/edge \\
    -p recordings_b recordings/lab -p labels_b recordings/labels.csv""",
    "sweep": "cyclegan sweep docs/sweep.yml --workers 2",
    "compare": "cyclegan compare demo longer",
    "simulate": "cyclegan simulate --output data/recordings",
    "extract": """
cyclegan extract recordings/lab --device BATCH_UPLOAD \\
    --output data/BATCH_UPLOAD.npz --labels recordings/labels.csv""",
    "check": """
cyclegan check recordings/edge recordings/lab \\
    --labels recordings/labels.csv""",
    "split": "cyclegan split data/cpc006.npz --output-dir data/parts",
    "train": """
cyclegan train --domain-a data/cpc006.npz --domain-b data/BATCH_UPLOAD.npz \\
    --checkpoint-dir checkpoints --resume auto""",
    "export": """
cyclegan export --checkpoint checkpoints/best.ckpt \\
    --output-dir exported_models --no-discriminators""",
    "inspect": "cyclegan inspect checkpoints/best.ckpt",
    "translate": """
cyclegan translate --model exported_models --direction AB \\
    --input recordings/edge --output AB.npz --report AB.csv""",
    "listen": "cyclegan listen --model exported_models --input a.wav --output out.wav",
    "classify": """
cyclegan classify --train data/BATCH_UPLOAD.npz --model exported_models \\
    --input recordings/edge --output predictions.csv""",
    "evaluate": """
cyclegan evaluate --source test_A.npz --translated AB.npz \\
    --target test_B.npz --labelled data/BATCH_UPLOAD.npz""",
    "benchmark": "cyclegan benchmark --pairs simulated --seeds 0",
    "doctor": "cyclegan doctor",
}


def epilog(command: str) -> str:
    """The example as the end of a help, its lines as they are."""
    lines = EXAMPLES[command].strip().splitlines()
    return "\n".join(["\b", "Example:", *(f"  {line}" for line in lines)])
