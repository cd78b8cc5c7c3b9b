"""Python's own answers to what the alignment engine does in Python's manner.

Reads JSON lines `{"op": …, "input": …}` from standard input and prints the answer to each as a JSON line.
"""

import json
import statistics
import sys


def answer(op, value):
    if op == "str":
        return str(json.loads(value))
    if op == "split":
        return value.split()
    if op == "strip":
        return value.strip()
    if op == "lower":
        return value.lower()
    if op == "long_words":
        return sorted({word for word in value.lower().split() if len(word) > 3})
    if op == "fixed":
        return f"{value:.2f}"
    # Numbers come back as texts that JavaScript reads exactly.
    if op == "mean":
        return repr(float(statistics.mean(value)))
    if op == "stdev":
        return repr(float(statistics.stdev(value)))
    raise ValueError(op)


def main():
    for line in sys.stdin:
        case = json.loads(line)
        print(json.dumps(answer(case["op"], case["input"])))


if __name__ == "__main__":
    main()
