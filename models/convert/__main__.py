"""Converts the CenterNet graph of the npm package @vladmandic/human to ONNX.

    python models/convert GRAPH.json CLASSES OUTPUT.onnx

CLASSES are the classes to keep, as their numbers in the source: 0,1,2. The graph is cut before
its own decoding tail, which is fixed to one input size: the edge decodes the heatmap and the box
sizes itself.
"""

import argparse
import sys

import onnx_file
import select_channels
import tfjs_graph

HEATMAP, BOX_SIZES = "tower_0/keypoints", "tower_0/wh"


def main():
    parser = argparse.ArgumentParser(prog="models/convert", description=__doc__.splitlines()[0])
    parser.add_argument("graph", help="the TensorFlow.js graph model (its .bin lies beside it)")
    parser.add_argument("classes", type=_numbers, help="the classes to keep, as numbers in the source: 0,1,2")
    parser.add_argument("output", help="the ONNX file to write")
    arguments = parser.parse_args()
    try:
        graph = tfjs_graph.read(arguments.graph)
        graph = select_channels.select(graph, HEATMAP, arguments.classes)
        # Whoever compares the model with its source has to know which classes these are.
        metadata = {"source_classes": ",".join(map(str, arguments.classes))}
        onnx_file.write(onnx_file.convert(graph, {HEATMAP: "heatmap", BOX_SIZES: "wh"}, metadata), arguments.output)
    except (tfjs_graph.GraphError, ValueError, OSError) as error:
        sys.exit(f"models/convert: {arguments.graph} was not converted: {error}")


def _numbers(text):
    return [int(number) for number in text.split(",")]


if __name__ == "__main__":
    main()
