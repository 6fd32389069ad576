"""The IAM Handwriting Database's own tree."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from htr_model.data.samples import Item, Skipped
from htr_model.readers.files import collection_of, file_bytes, leads_out, sample


def _iam_writers(folder: Path) -> dict[str, str]:
    """Writer of each form by ``ascii/forms.txt`` (form, writer, …), where that file is there."""
    try:
        text = (folder / "ascii" / "forms.txt").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    rows = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {fields[0]: fields[1] for fields in rows if len(fields) > 1}


def read_iam(folder: Path) -> Iterator[Item]:
    """Words of IAM's own tree: ``ascii/words.txt`` and ``words/a01/a01-000u/a01-000u-00-00.png``.

    Lines whose state is not ``ok`` are skipped, as the database's owners advise.
    """
    writers = _iam_writers(folder)
    with open(folder / "ascii" / "words.txt", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith("#") or not line.strip():
                continue
            # id, state, grey level, left, top, width, height, tag, transcription (which may hold spaces)
            fields = line.split(maxsplit=8)
            identifier = fields[0]
            if len(fields) < 9 or len(identifier.split("-")) < 3:
                yield Skipped(identifier, "line of words.txt is incomplete")
            elif leads_out(identifier):
                yield Skipped(identifier, "name leads out of the data set's folder")
            elif fields[1] != "ok":
                yield Skipped(identifier, "marked as wrongly segmented")
            else:
                series, form = identifier.split("-")[0], "-".join(identifier.split("-")[:2])
                picture = folder / "words" / series / form / f"{identifier}.png"
                text = fields[8].replace("|", " ")
                yield sample(
                    identifier,
                    text,
                    file_bytes(picture),
                    collection=collection_of(folder),
                    writer=writers.get(form),
                    group=form,
                )
