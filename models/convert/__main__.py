"""Converts the CenterNet graph of the npm package @vladmandic/human to ONNX.

    python models/convert GRAPH.json SIZE OUTPUT.onnx

The graph is cut before its own decoding tail, which is fixed to one input size: the edge
decodes the heatmap and the box sizes itself.
"""

import argparse
import sys

import onnx_file
import tfjs_graph

CUT = {"tower_0/keypoints": "heatmap", "tower_0/wh": "wh"}


def main():
    parser = argparse.ArgumentParser(prog="models/convert", description=__doc__.splitlines()[0])
    parser.add_argument("graph", help="the TensorFlow.js graph model (its .bin lies beside it)")
    parser.add_argument("size", type=int, help="input width and height in pixels, a multiple of 32")
    parser.add_argument("output", help="the ONNX file to write")
    arguments = parser.parse_args()
    try:
        graph = tfjs_graph.read(arguments.graph)
        onnx_file.write(onnx_file.convert(graph, arguments.size, CUT), arguments.output)
    except (tfjs_graph.GraphError, ValueError, OSError) as error:
        sys.exit(f"models/convert: {arguments.graph} was not converted: {error}")


if __name__ == "__main__":
    main()
