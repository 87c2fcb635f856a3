"""
Makes data/sentence-encoder.onnx and data/tokenizer.json out of a BERT-like sentence encoder whose sentence vector is
the mean over its word pieces, such as all-MiniLM-L6-v2. Run once, by hand, when the model changes:

    pip install onnx numpy safetensors
    python make-sentence-encoder.py MODEL_FOLDER DATA_FOLDER

MODEL_FOLDER holds config.json, model.safetensors and tokenizer.json in the usual layout.

The graph takes the word pieces of one text (`ids`, int64, one dimension) and gives its unit vector (`embedding`). It is
a quarter of the original's bytes or less:

- Matrices: int8 with a scale for each column, multiplied in integers with activations that are quantised as they come.
  Only 127 of the 256 levels are used, so that two products fit into 16 bits: processors without VNNI add them there
  and would saturate, and the same text would get another vector on another machine.
- Word pieces, half of the parameters: 4 bits and a scale for each 32 numbers. The first half of a row is in the low
  bits, the second in the high ones.
- Positions: float16, as many as the service reads.
"""

import json
import sys
from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save_model
from safetensors.numpy import load_file

LONGEST = 256
MATRIX_LEVELS = 63
WORD_BLOCK = 32

folder, target = Path(sys.argv[1]), Path(sys.argv[2])
config = json.loads((folder / "config.json").read_text())
width, heads = config["hidden_size"], config["num_attention_heads"]
weights = {
    name.removeprefix("bert."): values.astype(np.float32)
    for name, values in load_file(folder / "model.safetensors").items()
    if values.dtype.kind == "f"
}
nodes, constants = [], []


def constant(name, values):
    constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
    return name


def apply(operator, *inputs, outputs=None, **attributes):
    names = outputs or [f"{operator}.{len(nodes)}"]
    nodes.append(helper.make_node(operator, inputs, names, **attributes))
    return names[0] if outputs is None else names


def as_float(x):
    return apply("Cast", x, to=TensorProto.FLOAT)


def linear(x, name, matrix, bias):
    scale = np.abs(matrix).max(1) / MATRIX_LEVELS
    levels = np.round(matrix.T / scale).astype(np.int8)
    quantised, x_scale, zero = apply("DynamicQuantizeLinear", x, outputs=[f"{name}.{part}" for part in ("x", "s", "z")])
    product = as_float(apply("MatMulInteger", quantised, constant(f"{name}.weight", levels), zero))
    scaled = apply("Mul", product, apply("Mul", x_scale, constant(f"{name}.scale", scale)))
    return apply("Add", scaled, constant(f"{name}.bias", bias))


def normalised(x, name):
    gain, bias = constant(f"{name}.gain", weights[f"{name}.weight"]), constant(f"{name}.bias", weights[f"{name}.bias"])
    return apply("LayerNormalization", x, gain, bias, axis=-1, epsilon=float(config["layer_norm_eps"]))


def words():
    table = weights["embeddings.word_embeddings.weight"]
    blocks = table.reshape(len(table), -1, WORD_BLOCK)
    # the largest of a block is kept exactly: it becomes level -8
    largest = np.take_along_axis(blocks, np.abs(blocks).argmax(2)[..., None], 2)
    scale = (largest / -8).astype(np.float16)
    scale[scale == 0] = 1
    levels = np.clip(np.round(blocks / scale.astype(np.float32)) + 8, 0, 15).astype(np.uint8).reshape(len(table), width)
    packed = levels[:, : width // 2] | (levels[:, width // 2 :] << 4)

    rows = apply("Gather", constant("words", packed), "ids")
    low = apply("BitwiseAnd", rows, constant("low", np.array(15, np.uint8)))
    high = apply("BitShift", rows, constant("four", np.array(4, np.uint8)), direction="RIGHT")
    both = as_float(apply("Concat", low, high, axis=1))
    parted = apply("Reshape", both, constant("blocks", np.array([-1, width // WORD_BLOCK, WORD_BLOCK])))
    centred = apply("Sub", parted, constant("eight", np.array(8, np.float32)))
    scales = as_float(apply("Gather", constant("words.scale", scale), "ids"))
    return apply("Reshape", apply("Mul", centred, scales), "flat")


def positions():
    # every text is a first sentence, never a second: that type's vector is added here
    table = weights["embeddings.position_embeddings.weight"][:LONGEST] + weights["embeddings.token_type_embeddings.weight"][0]
    return as_float(apply("Slice", constant("positions", table.astype(np.float16)), "first", apply("Shape", "ids")))


def attention(x, layer):
    name = f"encoder.layer.{layer}.attention"
    parts = [f"{name}.self.{part}" for part in ("query", "key", "value")]
    # the scale of the products goes into the queries
    shares = [np.float32((width // heads) ** -0.5), np.float32(1), np.float32(1)]
    matrix = np.concatenate([weights[f"{part}.weight"] * share for part, share in zip(parts, shares)])
    bias = np.concatenate([weights[f"{part}.bias"] * share for part, share in zip(parts, shares)])
    together = apply("Reshape", linear(x, f"{layer}.attention", matrix, bias), "heads")
    query, key, value = apply("Split", apply("Transpose", together, perm=[1, 2, 0, 3]), outputs=parts, axis=0, num_outputs=3)
    shares = apply("Softmax", apply("MatMul", query, apply("Transpose", key, perm=[0, 1, 3, 2])), axis=-1)
    mixed = apply("Reshape", apply("Transpose", apply("MatMul", shares, value), perm=[2, 0, 1, 3]), "flat")
    out = linear(mixed, f"{layer}.out", weights[f"{name}.output.dense.weight"], weights[f"{name}.output.dense.bias"])
    return normalised(apply("Add", x, out), f"{name}.output.LayerNorm")


def feed_forward(x, layer):
    name = f"encoder.layer.{layer}"
    up = linear(x, f"{layer}.up", weights[f"{name}.intermediate.dense.weight"], weights[f"{name}.intermediate.dense.bias"])
    down = linear(apply("Gelu", up), f"{layer}.down", weights[f"{name}.output.dense.weight"], weights[f"{name}.output.dense.bias"])
    return normalised(apply("Add", x, down), f"{name}.output.LayerNorm")


constant("first", np.array([0]))
constant("flat", np.array([-1, width]))
constant("heads", np.array([-1, 3, heads, width // heads]))
x = normalised(apply("Add", words(), positions()), "embeddings.LayerNorm")
for layer in range(config["num_hidden_layers"]):
    x = feed_forward(attention(x, layer), layer)
mean = apply("ReduceMean", x, "first", keepdims=0)
apply("LpNormalization", mean, outputs=["embedding"], axis=-1, p=2)

model = helper.make_model(
    helper.make_graph(
        nodes,
        "sentence-encoder",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["pieces"])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [width])],
        constants,
    ),
    opset_imports=[helper.make_opsetid("", 21)],
    ir_version=10,
)
checker.check_model(model)
save_model(model, target / "sentence-encoder.onnx")

tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
tokenizer.update(truncation=None, padding=None)
(target / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
