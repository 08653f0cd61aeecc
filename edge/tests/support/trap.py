"""Makes a detector that loads like any other and fails at run: on dark pictures, or on all.

    python trap.py MODEL.onnx darker-than OUTPUT.onnx

The mean of the picture's bytes decides which of one element is gathered. Below DARKER-THAN it is the
thousandth, which ONNX Runtime refuses when it gets there; 256 is above every picture's mean.
"""

import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper

source, darker_than, output = sys.argv[1:]
model = onnx.load(source)
graph = model.graph
picture = graph.input[0].name
heatmap = graph.output[0].name

for node in graph.node:
    for names in (node.input, node.output):
        for i, name in enumerate(names):
            if name == heatmap:
                names[i] = "untrapped"
graph.node.extend(
    [
        helper.make_node("Cast", [picture], ["trap/bytes"], to=onnx.TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["trap/bytes"], ["trap/mean"], keepdims=0),
        helper.make_node("Less", ["trap/mean", "trap/limit"], ["trap/dark"]),
        helper.make_node("Cast", ["trap/dark"], ["trap/sprung"], to=onnx.TensorProto.INT64),
        helper.make_node("Mul", ["trap/sprung", "trap/thousand"], ["trap/index"]),
        helper.make_node("Gather", ["trap/one", "trap/index"], ["trap/factor"]),
        helper.make_node("Mul", ["untrapped", "trap/factor"], [heatmap]),
    ]
)
constants = {
    "trap/limit": np.float32(darker_than),
    "trap/thousand": np.int64(1000),
    "trap/one": np.ones(1, dtype=np.float32),
}
graph.initializer.extend(numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items())
onnx.checker.check_model(model)
onnx.save(model, output)
