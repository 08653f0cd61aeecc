"""Builds the ONNX model out of a translated graph and writes it, always the same bytes."""

import os
from pathlib import Path

import onnx
from onnx import TensorProto, helper

import hard_swish
from translate import Translation

OPSET = 17
# The first IR version that carries opset 17: older runtimes refuse a newer one.
IR_VERSION = 8


def convert(graph, size, outputs):
    """`outputs`: TensorFlow node name -> name of the ONNX output."""
    if size <= 0 or size % 32:
        raise ValueError(f"input size {size} is not a multiple of 32")
    nodes = graph.order_up_to(list(outputs))
    translation = Translation(graph, size, hard_swish.find(graph, nodes))
    for node in nodes:
        translation.translate(node)

    named_outputs = []
    for source, name in outputs.items():
        inner = translation.result(source)
        translation.emit("Identity", [inner], name, translation.shapes[inner])
        channels, height, width = translation.shapes[inner]
        named_outputs.append(
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, height, width])
        )
    model = helper.make_model(
        helper.make_graph(
            translation.nodes,
            "detector",
            [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, size, size, 3])],
            named_outputs,
            list(translation.initializers.values()),
        ),
        producer_name="gatepost models/convert",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def write(model, path):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Never a half-written file under the final name: a stopped set-up must not look complete.
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(model.SerializeToString(deterministic=True))
    os.replace(partial, path)
