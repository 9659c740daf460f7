# Builds messages with HL7apy, sends them with python-hl7's MLLP client over one connection, and prints each answer as a line of JSON with what
# HL7apy finds wrong with it. Arguments: the port, then `kind:control:answers` for each message, `answers` being how many to wait for.
# A kind is ORU or ADT; `+` behind it asks for the enhanced mode, MSH-15 and MSH-16 `AL`.
import asyncio
import json
import sys

from hl7.mllp import open_hl7_connection
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.core import Message

from structure import faults


def begun(structure, type_, control, enhanced):
    message = Message(structure, version="2.5.1", validation_level=VALIDATION_LEVEL.STRICT)
    message.msh.msh_3 = "HL7APY"
    message.msh.msh_4 = "LAB"
    message.msh.msh_5 = "KIUNGO"
    message.msh.msh_7 = "20260112083000+0300"
    message.msh.msh_9 = type_
    message.msh.msh_10 = control
    message.msh.msh_11 = "P"
    if enhanced:
        message.msh.msh_15 = "AL"
        message.msh.msh_16 = "AL"
    return message


def patient(pid, control):
    pid.pid_1 = "1"
    pid.pid_3 = f"{control}^^^^MR"
    pid.pid_5 = "Otieno^Amina"
    pid.pid_7 = "19880412"
    pid.pid_8 = "F"


def oru(control, enhanced):
    message = begun("ORU_R01", "ORU^R01^ORU_R01", control, enhanced)
    result = message.add_group("ORU_R01_PATIENT_RESULT")
    patient(result.add_group("ORU_R01_PATIENT").add_segment("PID"), control)
    order = result.add_group("ORU_R01_ORDER_OBSERVATION")
    request = order.add_segment("OBR")
    request.obr_1 = "1"
    request.obr_3 = control
    request.obr_4 = "58410-2^CBC panel^LN"
    request.obr_7 = "20260112083000+0300"
    request.obr_25 = "F"
    value = order.add_group("ORU_R01_OBSERVATION").add_segment("OBX")
    value.obx_1 = "1"
    value.obx_2 = "NM"
    value.obx_3 = "718-7^HGB^LN"
    value.obx_5 = "12.10"
    value.obx_6 = "g/dL"
    value.obx_11 = "F"
    return message


def adt(control, enhanced):
    message = begun("ADT_A01", "ADT^A01^ADT_A01", control, enhanced)
    message.evn.evn_2 = "20260112083000+0300"
    patient(message.add_segment("PID"), control)
    visit = message.add_segment("PV1")
    visit.pv1_2 = "I"
    visit.pv1_3 = "WARD1^R2^B3"
    visit.pv1_19 = f"V{control}"
    return message


async def main(port, asked):
    reader, writer = await open_hl7_connection("127.0.0.1", port, encoding="utf-8")
    for word in asked:
        kind, control, count = word.split(":")
        make = {"ORU": oru, "ADT": adt}[kind.rstrip("+")]
        message = make(control, kind.endswith("+"))
        message.validate()
        writer.writeblock(message.to_er7().encode("utf-8") + b"\r")
        await writer.drain()
        for _ in range(int(count)):
            answer = str(await asyncio.wait_for(reader.readmessage(), 20))
            code = next(line for line in answer.split("\r") if line.startswith("MSA")).split("|")
            print(json.dumps({"control": code[2], "code": code[1], "faults": faults(answer)}), flush=True)
    writer.close()


asyncio.run(main(int(sys.argv[1]), sys.argv[2:]))
