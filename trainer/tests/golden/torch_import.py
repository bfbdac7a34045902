"""Records models of PyTorch, and what they answer, into import/torch-*: for `kilornn import torch`.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python torch_import.py

For each case `import/torch-CASE.safetensors`, `import/torch-CASE.toml` and `import/torch-CASE.txt` (the vocabulary),
and all in one `import/torch.json`: texts and probabilities. `trainer/tests/import.rs` reads them.
"""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

from texts import make_texts

FOLDER = Path(__file__).parent / "import"
FILTERS = str.maketrans({c: " " for c in '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'})


def words(text):
    """As Keras's Tokenizer and the device do it."""
    return [word for word in text.lower().translate(FILTERS).split(" ") if word]


class Classifier(nn.Module):
    def __init__(self, rows, width, units, outputs, nonlinearity):
        super().__init__()
        self.embedding = nn.Embedding(rows, width)
        self.rnn = nn.RNN(width, units, nonlinearity=nonlinearity, batch_first=True)
        self.linear = nn.Linear(units, outputs)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.5)
        # A state that does not explode.
        nn.init.orthogonal_(self.rnn.weight_hh_l0, gain=0.8)

    def forward(self, ids, lengths=None):
        """With lengths, pads behind the words are skipped; without, pads in front of them are read."""
        embedded = self.embedding(ids)
        if lengths is not None:
            embedded = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        _, last = self.rnn(embedded)
        logits = self.linear(last[0])
        return logits.sigmoid() if logits.shape[1] == 1 else logits.softmax(1)


def write(name, lines, toml, state, texts, probabilities):
    (FOLDER / f"torch-{name}.txt").write_text("".join(f"{line}\n" for line in lines))
    (FOLDER / f"torch-{name}.toml").write_text(f'vocabulary = "torch-{name}.txt"\n{toml}')
    out = FOLDER / f"torch-{name}.safetensors"
    save_file(state, out)
    out.chmod(0o644)
    print(name, "mean probabilities", probabilities.mean(0), "deviations", probabilities.std(0))
    return dict(name=name, texts=texts, probabilities=probabilities.tolist())


@torch.no_grad()
def packed(rng):
    """Packed sequences; unknown words have a row; `<pad>` and `<unk>` are lines of the vocabulary, from id 0."""
    fitted, asked = make_texts(rng)
    counts = Counter(word for text in fitted for word in words(text))
    lines = ["<pad>", "<unk>", *(word for word, _ in counts.most_common(30))]
    ids = {word: id for id, word in enumerate(lines)}
    # nn.RNN takes no empty sequence.
    asked = [text for text in asked if words(text)]
    texts = [torch.tensor([ids.get(word, 1) for word in words(text)]) for text in asked]
    model = Classifier(len(lines), 8, 12, 1, "relu")
    lengths = torch.tensor([len(text) for text in texts])
    answers = model(pad_sequence(texts, batch_first=True), lengths)
    toml = 'unknown = "<unk>"\npad = "<pad>"\npadding = "masked"\nactivation = "relu"\nlabels = ["bad", "good"]\n'
    return write("packed", lines, toml, model.state_dict(), asked, answers)


@torch.no_grad()
def padded(rng):
    """Pads with the id 0 in front of the words, which start at 1; unknown words are left out; names of its own."""
    maxlen = 11
    fitted, asked = make_texts(rng)
    counts = Counter(word for text in fitted for word in words(text))
    lines = [word for word, _ in counts.most_common(25)]
    ids = {word: id for id, word in enumerate(lines, 1)}
    texts = torch.zeros(len(asked), maxlen, dtype=torch.long)
    for row, text in zip(texts, asked):
        known = [ids[word] for word in words(text) if word in ids][-maxlen:]
        row[maxlen - len(known) :] = torch.tensor(known, dtype=torch.long)
    model = Classifier(len(lines) + 1, 8, 12, 3, "tanh")
    answers = model(texts)
    state = {name.replace("linear", "head").replace("rnn.", "encoder."): value for name, value in model.state_dict().items()}
    state["embedding.weight"] = state["embedding.weight"].double()
    toml = f"""first_id = 1
pad = 0
padding = "tokens"
maxlen = {maxlen}
activation = "tanh"

[tensors]
weight_ih = "encoder.weight_ih_l0"
weight_hh = "encoder.weight_hh_l0"
bias_ih = "encoder.bias_ih_l0"
bias_hh = "encoder.bias_hh_l0"
linear_weight = "head.weight"
linear_bias = "head.bias"
"""
    return write("padded", lines, toml, state, asked, answers)


def main():
    FOLDER.mkdir(exist_ok=True)
    torch.manual_seed(3)
    cases = [packed(np.random.default_rng(21)), padded(np.random.default_rng(22))]
    (FOLDER / "torch.json").write_text(json.dumps(cases, indent=0) + "\n")


main()
