"""Data sets as the folders of labelled texts have them: `label<TAB>text`, a header, plain or gzipped."""

import gzip


def rows(folder, part):
    """Labels and texts of a part."""
    plain = folder / f"{part}.tsv"
    opened = plain.open("rb") if plain.exists() else gzip.open(folder / f"{part}.tsv.gz")
    with opened as file:
        lines = file.read().decode("utf-8").split("\n")[1:]
    return [line.split("\t", 1) for line in lines if line]
