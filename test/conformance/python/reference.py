"""Python's own answers to what the alignment engine does in Python's manner.

Reads JSON lines `{"op": …, "input": …}` from standard input and prints the answer to each as a JSON line. The answer is null
where the input has a character that this Python's Unicode version does not know: another version may know it.
"""

import json
import statistics
import sys
import unicodedata


def is_known(text):
    return not any(unicodedata.category(character) == "Cn" for character in text)


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
        known = not isinstance(case["input"], str) or is_known(str(case["input"]))
        print(json.dumps(answer(case["op"], case["input"]) if known else None))


if __name__ == "__main__":
    main()
