"""Builds the ONNX model out of a translated graph and writes it, always the same bytes."""

import os
from pathlib import Path

import onnx
from onnx import TensorProto, helper

import hard_swish
from translate import WHOLE, Translation

OPSET = 17
# The first IR version that carries opset 17: older runtimes refuse a newer one.
IR_VERSION = 8


def convert(graph, outputs, metadata=None):
    """`outputs`: TensorFlow node name -> name of the ONNX output. `metadata`: kept in the file."""
    nodes = graph.order_up_to(list(outputs))
    translation = Translation(graph, nodes, outputs, hard_swish.find(graph, nodes))
    for node in nodes:
        translation.translate(node)

    named_outputs = []
    for source, name in outputs.items():
        inner = translation.result(source)
        translation.emit("Identity", [inner], name, translation.shapes[inner])
        channels, step = translation.shapes[inner]
        shape = [1, channels, 1, 1] if step is WHOLE else [1, channels, f"height/{step}", f"width/{step}"]
        named_outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    model = helper.make_model(
        helper.make_graph(
            translation.nodes,
            "detector",
            [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, "height", "width", 3])],
            named_outputs,
            list(translation.initializers.values()),
        ),
        producer_name="gatepost models/convert",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    helper.set_model_props(model, metadata or {})
    onnx.checker.check_model(model, full_check=True)
    return model


def write(model, path):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Never a half-written file under the final name: a stopped set-up must not look complete.
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(model.SerializeToString(deterministic=True))
    os.replace(partial, path)
