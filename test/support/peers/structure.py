# What HL7apy finds wrong with a message by the tables of its version. Warnings are about values outside of HL7's tables.
import os
import tempfile

from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.exceptions import HL7apyException
from hl7apy.parser import parse_message
from hl7apy.validation import Validator


def faults(text):
    """The errors, each once, sorted."""
    try:
        message = parse_message(text, validation_level=VALIDATION_LEVEL.TOLERANT)
    except HL7apyException as error:
        return [f"cannot be parsed: {error}"]
    handle, report = tempfile.mkstemp()
    os.close(handle)
    try:
        Validator.validate(message, report_file=report)
    except HL7apyException:
        pass  # the first of what is in the report
    with open(report) as lines:
        found = {line.strip() for line in lines if line.startswith("Error: ")}
    os.unlink(report)
    return sorted(line.removeprefix("Error: ") for line in found)
