"""fastText on IMDB, pruned and quantized to several sizes: what `cargo xtask bench accuracy --peers` records.

    python fasttext_points.py IMDB SCRATCH RECORD.json

Every setting is chosen on reviews of films held out of the training part (`train.meta.tsv` names the films), one after
the other, each with the best of those before: how texts are cut and what features there are; how a pruned and quantized
file is trained; which dimension and number of features are best for each size of file. The chosen settings train once
more on all training reviews, and only those models see the test part, once. With one thread
fastText gives the same model again; the trials share the cores instead.
"""

import hashlib
import importlib.metadata
import json
import multiprocessing
import operator
import os
import re
import sys
import tempfile
from pathlib import Path

import fasttext

from sets import rows

PACKAGE = "fasttext-wheel"

# Up to where files are of one size. Of all between two of these, the one best on the held-out reviews stands for them.
SIZES = [16_000, 32_000, 64_000, 128_000, 256_000, 1_024_000]

# Of a trial.
ACCURACY = operator.itemgetter(0)

BREAK = re.compile(r"<br\s*/?>")
PUNCTUATION = re.compile(r"""([.!?,"()/;:*&\-])""")
WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")

# Lower-cased, without line breaks; punctuation as words of its own, or none.
CUTS = {
    "punctuation": lambda text: " ".join(PUNCTUATION.sub(r" \1 ", BREAK.sub(" ", text.lower())).split()),
    "words": lambda text: " ".join(WORD.findall(BREAK.sub(" ", text.lower()))),
}

FIRST = {"cut": "punctuation", "dim": 10, "wordNgrams": 2, "bucket": 2_000_000, "minCount": 1, "epoch": 10, "lr": 0.25}

# What is read: by a model of full size.
READ = {
    "cut": ["punctuation", "words"],
    "wordNgrams": [1, 2],
    "minCount": [1, 5],
    "bucket": [500_000, 2_000_000],
}

# How it is trained, before and after pruning: by a file with this many features. (Tried as well: a rate of 0.02, and of
# 0.5 and 1, which are right on 0.788, 0.875 and 0.874 of what is held out after 10 epochs.)
TYPICAL = 2_000
TRAINED = {"lr": [0.05, 0.1, 0.25], "epoch": [5, 10, 20]}

# What sets the size. (Tried as well, at a rate of 1: dimensions 30 and 100, where 2,000 features take 86 and 228 kB and
# are right on 0.874 and 0.872; and `qnorm`, which costs a byte a feature and changes that by 0.002 either way.)
DIMENSIONS = [2, 4, 10]
CUTOFFS = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 64_000]


def write(path, examples, cut):
    """In fastText's form."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"__label__{label} {CUTS[cut](text)}\n" for label, text in examples)


def prepare(data, scratch):
    """Writes the training part, what of it is fitted and what is held out, and the test part, in every cut."""
    train = rows(data, "train")
    films = (data / "train.meta.tsv").read_text(encoding="utf-8").split("\n")
    column = films[0].split("\t").index("movie")
    films = [line.split("\t")[column] for line in films[1:] if line]
    assert len(films) == len(train), "train.meta.tsv must have the film of each training review"
    held = [hashlib.sha256(film.encode()).digest()[0] % 5 == 0 for film in films]
    parts = {
        "train": train,
        "fit": [row for row, out in zip(train, held) if not out],
        "dev": [row for row, out in zip(train, held) if out],
        "test": rows(data, "test"),
    }
    for cut in CUTS:
        for part, examples in parts.items():
            write(scratch / f"{cut}.{part}", examples, cut)
    return {part: len(examples) for part, examples in parts.items()}


def fit(scratch, settings, part="fit"):
    """Trains a model of full size."""
    options = {key: value for key, value in settings.items() if key in FIRST and key != "cut"}
    file = str(scratch / f"{settings['cut']}.{part}")
    return fasttext.train_supervised(file, thread=1, verbose=0, **options)


def quantize(model, scratch, settings, part="fit"):
    """Prunes, trains what is left, and quantizes: in place. Returns the file's bytes."""
    file = str(scratch / f"{settings['cut']}.{part}")
    model.quantize(
        input=file, cutoff=settings["cutoff"], retrain=True, epoch=settings["epoch"], lr=settings["lr"],
        thread=1, verbose=-1, qnorm=settings["qnorm"], dsub=2,
    )
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        path = Path(folder) / "model.ftz"
        model.save_model(str(path))
        return path.stat().st_size


def accuracy(model, scratch, settings, part):
    """The share of texts whose most likely label is right."""
    _, precision, _ = model.test(str(scratch / f"{settings['cut']}.{part}"))
    return precision


def full_trial(job):
    scratch, settings = job
    return accuracy(fit(scratch, settings), scratch, settings, "dev")


def file_trials(job):
    """Files with some numbers of features, all from one model of full size: each with its accuracy on what is held out,
    its bytes, and its settings."""
    scratch, settings, cutoffs = job
    found = []
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        path = str(Path(folder) / "full.bin")
        fit(scratch, settings).save_model(path)
        for cutoff in cutoffs:
            tried = {**settings, "cutoff": cutoff}
            model = fasttext.load_model(path)
            size = quantize(model, scratch, tried)
            if size > max(SIZES):
                break
            found.append((accuracy(model, scratch, tried, "dev"), size, tried))
            print(f"  {tried}: {size} bytes, {found[-1][0]:.4f}", file=sys.stderr)
    return found


def each(pool, scratch, trials):
    """Files with other settings, of those that are not too large."""
    jobs = [(scratch, trial, [trial["cutoff"]]) for trial in trials]
    return [file for found in pool.imap(file_trials, jobs, chunksize=1) for file in found]


def best_of_sizes(files):
    """The best of each size that has any."""
    sizes = zip([0, *SIZES], SIZES)
    sizes = [[file for file in files if least < file[1] <= most] for least, most in sizes]
    return [max(files, key=ACCURACY) for files in sizes if files]


def final(job):
    """What stands for a size, trained on all training reviews and tested."""
    scratch, dev, _, settings = job
    model = fit(scratch, settings, "train")
    size = quantize(model, scratch, settings, "train")
    test = accuracy(model, scratch, settings, "test")
    return {"bytes": size, "accuracy": round(test, 4), "dev_accuracy": round(dev, 4), "settings": settings}


def main():
    data, scratch, out = map(Path, sys.argv[1:4])
    scratch.mkdir(parents=True, exist_ok=True)
    fasttext.FastText.eprint = lambda *_: None
    examples = prepare(data, scratch)
    with multiprocessing.Pool(os.cpu_count(), maxtasksperchild=1) as pool:
        settings = dict(FIRST)
        best = 0.0
        for key, values in READ.items():
            tried = [{**settings, key: value} for value in values if value != settings[key] or not best]
            found = pool.map(full_trial, [(scratch, trial) for trial in tried], chunksize=1)
            for trial, dev in zip(tried, found):
                print(f"  {key} = {trial[key]}: {dev:.4f}", file=sys.stderr)
                if dev > best:
                    best, settings = dev, trial

        settings |= {"qnorm": False, "cutoff": TYPICAL, "lr": 0.1}
        best = (0.0, 0, settings)
        for key, values in TRAINED.items():
            tried = [{**best[2], key: value} for value in values if value != best[2][key] or not best[1]]
            best = max([best, *each(pool, scratch, tried)], key=ACCURACY)
        settings = best[2]

        # The widest takes longest; in halves, so that all cores have something to do.
        halves = [CUTOFFS[::2], CUTOFFS[1::2]]
        widths = [{**settings, "dim": dim} for dim in sorted(DIMENSIONS, reverse=True)]
        widths = [(scratch, width, half) for width in widths for half in halves]
        files = [file for found in pool.imap(file_trials, widths, chunksize=1) for file in found]
        chosen = best_of_sizes(files)
        points = pool.map(final, [(scratch, *file) for file in chosen], chunksize=1)
    record = {
        "package": PACKAGE,
        "version": importlib.metadata.version(PACKAGE),
        "examples": examples,
        "points": sorted(points, key=lambda point: point["bytes"]),
    }
    out.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
