# Prints, for each file of a message, a line of JSON: its name and what HL7apy finds wrong with its structure.
import json
import sys

from structure import faults

for file in sys.argv[1:]:
    with open(file, newline="") as content:
        text = content.read().replace("\r\n", "\r").replace("\n", "\r")
    print(json.dumps({"file": file, "faults": faults(text)}))
