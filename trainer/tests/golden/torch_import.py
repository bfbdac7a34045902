"""Records models of PyTorch, and what they answer, into import/torch-*: for `kilornn import torch`.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python torch_import.py

For each case `import/torch-CASE.safetensors`, `import/torch-CASE.toml` and `import/torch-CASE.txt` (the vocabulary),
and all in one, texts and answers: in `import/torch.json` for networks of one nn.RNN layer, in `import/torch-layers.json`
for others. `trainer/tests/import.rs` reads them.

Of one nn.RNN layer the answers are probabilities, a list for each text; of other networks they are logits.
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
    """With `rnn`, one of nn.RNN, nn.GRU and nn.LSTM, and what it is made with."""

    def __init__(self, rows, width, units, outputs, rnn, **recurrent):
        super().__init__()
        self.embedding = nn.Embedding(rows, width)
        self.rnn = rnn(width, units, batch_first=True, **recurrent)
        self.linear = nn.Linear(units, outputs)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.5)
        # A state that does not explode.
        if rnn is nn.RNN:
            for layer in range(self.rnn.num_layers):
                nn.init.orthogonal_(getattr(self.rnn, f"weight_hh_l{layer}"), gain=0.8)

    def forward(self, ids, lengths=None):
        """With lengths, pads behind the words are skipped; without, pads in front of them are read."""
        embedded = self.embedding(ids)
        if lengths is not None:
            embedded = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        _, last = self.rnn(embedded)
        # nn.LSTM also gives its cells' contents.
        last = last[0] if isinstance(self.rnn, nn.LSTM) else last
        return self.linear(last[-1])


def probabilities(logits):
    return logits.sigmoid() if logits.shape[1] == 1 else logits.softmax(1)


def write(name, lines, toml, state, texts, **answers):
    (FOLDER / f"torch-{name}.txt").write_text("".join(f"{line}\n" for line in lines))
    (FOLDER / f"torch-{name}.toml").write_text(f'vocabulary = "torch-{name}.txt"\n{toml}')
    out = FOLDER / f"torch-{name}.safetensors"
    save_file(state, out)
    out.chmod(0o644)
    for kind, values in answers.items():
        print(name, "mean", kind, values.mean(0), "deviations", values.std(0))
    return dict(name=name, texts=texts, **{kind: values.tolist() for kind, values in answers.items()})


def packed_texts(rng):
    """Packed sequences; unknown words have a row; `<pad>` and `<unk>` are lines of the vocabulary, from id 0."""
    fitted, asked = make_texts(rng)
    counts = Counter(word for text in fitted for word in words(text))
    lines = ["<pad>", "<unk>", *(word for word, _ in counts.most_common(30))]
    ids = {word: id for id, word in enumerate(lines)}
    # nn.RNN takes no empty sequence.
    asked = [text for text in asked if words(text)]
    texts = [torch.tensor([ids.get(word, 1) for word in words(text)]) for text in asked]
    lengths = torch.tensor([len(text) for text in texts])
    return lines, asked, pad_sequence(texts, batch_first=True), lengths


PACKED = 'unknown = "<unk>"\npad = "<pad>"\npadding = "masked"\n'


def padded_texts(rng, maxlen):
    """Pads with the id 0 in front of the words, which start at 1; unknown words are left out."""
    fitted, asked = make_texts(rng)
    counts = Counter(word for text in fitted for word in words(text))
    lines = [word for word, _ in counts.most_common(25)]
    ids = {word: id for id, word in enumerate(lines, 1)}
    texts = torch.zeros(len(asked), maxlen, dtype=torch.long)
    for row, text in zip(texts, asked):
        known = [ids[word] for word in words(text) if word in ids][-maxlen:]
        row[maxlen - len(known) :] = torch.tensor(known, dtype=torch.long)
    return lines, asked, texts


def padded_toml(maxlen):
    return f'first_id = 1\npad = 0\npadding = "tokens"\nmaxlen = {maxlen}\n'


@torch.no_grad()
def packed(rng):
    lines, asked, texts, lengths = packed_texts(rng)
    model = Classifier(len(lines), 8, 12, 1, nn.RNN, nonlinearity="relu")
    toml = PACKED + 'activation = "relu"\nlabels = ["bad", "good"]\n'
    answers = probabilities(model(texts, lengths))
    return write("packed", lines, toml, model.state_dict(), asked, probabilities=answers)


@torch.no_grad()
def padded(rng):
    """With names of its own."""
    maxlen = 11
    lines, asked, texts = padded_texts(rng, maxlen)
    model = Classifier(len(lines) + 1, 8, 12, 3, nn.RNN, nonlinearity="tanh")
    answers = probabilities(model(texts))
    state = {name.replace("linear", "head").replace("rnn.", "encoder."): value for name, value in model.state_dict().items()}
    state["embedding.weight"] = state["embedding.weight"].double()
    toml = padded_toml(maxlen) + """activation = "tanh"

[tensors]
weight_ih = "encoder.weight_ih_l0"
weight_hh = "encoder.weight_hh_l0"
bias_ih = "encoder.bias_ih_l0"
bias_hh = "encoder.bias_hh_l0"
linear_weight = "head.weight"
linear_bias = "head.bias"
"""
    return write("padded", lines, toml, state, asked, probabilities=answers)


# Units, outputs, whether sequences are packed, and what the recurrent module is made with.
LAYERS = {
    "gru": (nn.GRU, 10, 1, True, dict()),
    "lstm": (nn.LSTM, 10, 3, False, dict()),
    "gru-gru": (nn.GRU, 8, 3, False, dict(num_layers=2)),
    "lstm-lstm": (nn.LSTM, 8, 1, True, dict(num_layers=2)),
    "rnn-rnn": (nn.RNN, 8, 3, True, dict(num_layers=2, nonlinearity="tanh")),
    "gru-no-bias": (nn.GRU, 10, 1, True, dict(bias=False)),
    "lstm-lstm-no-bias": (nn.LSTM, 8, 3, False, dict(num_layers=2, bias=False)),
}


@torch.no_grad()
def layers(name, rnn, units, outputs, is_packed, recurrent, rng):
    """nn.GRU and nn.LSTM have no choice of an activation, so the configuration names none."""
    if is_packed:
        lines, asked, *inputs = packed_texts(rng)
        rows, toml = len(lines), PACKED
    else:
        lines, asked, *inputs = padded_texts(rng, 14)
        rows, toml = len(lines) + 1, padded_toml(14)
    toml += 'activation = "tanh"\n' if rnn is nn.RNN else ""
    model = Classifier(rows, 8, units, outputs, rnn, **recurrent)
    # So that logits are far from each other.
    model.linear.weight.mul_(3.0)
    return write(name, lines, toml, model.state_dict(), asked, logits=model(*inputs))


def main():
    FOLDER.mkdir(exist_ok=True)
    torch.manual_seed(3)
    cases = [packed(np.random.default_rng(21)), padded(np.random.default_rng(22))]
    (FOLDER / "torch.json").write_text(json.dumps(cases, indent=0) + "\n")
    cases = [layers(name, *case, np.random.default_rng(30 + i)) for i, (name, case) in enumerate(LAYERS.items())]
    (FOLDER / "torch-layers.json").write_text(json.dumps(cases, indent=0) + "\n")


if __name__ == "__main__":
    main()
