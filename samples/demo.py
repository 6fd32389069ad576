"""What ``make demo`` runs: the sample pages digitized, one transcription shown beside the truth.

Usage: ``.venv/bin/python samples/demo.py``. Tables, overlay pictures and web pages go to ``out/demo``;
pages that an earlier demo has read are not read again.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pyarrow.parquet as pq
from rich.columns import Columns
from rich.console import Console
from rich.panel import Panel

from htr_model.scoring.metrics import error_rates
from pipelines.cli import main

FOLDER = Path(__file__).resolve().parent
OUTPUT = FOLDER.parent / "out" / "demo"
SHOWN = "letter.png"


def show() -> None:
    """Print a page as it was read beside what is written there, and where everything is."""
    console = Console()
    truth = json.loads((FOLDER / "truth.json").read_text(encoding="utf-8"))
    pages = pq.read_table(OUTPUT / "pages").to_pylist()
    read = {(Path(p["document_uri"]).name, p["page_index"]): p["text"] for p in pages}
    panels = [Panel(read[SHOWN, 0], title=f"{SHOWN} as read"), Panel(truth[SHOWN][0], title="what is written there")]
    console.print(Columns(panels, expand=True))
    for name, texts in truth.items():
        found = [read.get((name, i), "") for i in range(len(texts))]
        cer = error_rates([" ".join(t.split()) for t in texts], [" ".join(t.split()) for t in found]).cer
        console.print(f"  {name:14} {len(texts)} page(s), {100 * cer:5.1f} % of the characters wrong")
    overlay = next(iter(sorted((OUTPUT / "overlays").glob(f"{SHOWN}*"))), None)
    console.print(f"\nTables    {OUTPUT}/words  {OUTPUT}/pages", soft_wrap=True)
    console.print(f"Overlay   {overlay}", soft_wrap=True)
    console.print(f"Browse    {OUTPUT}/review/index.html", soft_wrap=True)


if __name__ == "__main__":
    pictures = sorted(p for p in FOLDER.iterdir() if p.suffix in (".png", ".jpg", ".tiff", ".pdf"))
    inputs = [argument for p in pictures for argument in ("--input", str(p))]
    code = main(["digitize", *inputs, "--output", str(OUTPUT), "--overlays", str(OUTPUT / "overlays")])
    if code == 0:
        main(["review", str(OUTPUT), "--output", str(OUTPUT / "review")])
        show()
    sys.exit(code)
