# HL7apy's MLLP server: prints its port, then a line of JSON for each message that comes. The codes given as arguments are its first answers,
# all later ones are AA. Orders are answered as orders (ORL, ORR), everything else by ACK. It closes the connection after each answer.
import json
import sys
from threading import Lock

from hl7apy.core import Message
from hl7apy.mllp import AbstractHandler, MLLPServer
from hl7apy.parser import parse_message

from structure import faults

ANSWERS = {
    "OML^O21": "ORL^O22^ORL_O22",
    "OML^O33": "ORL^O34^ORL_O34",
    "ORM^O01": "ORR^O02^ORR_O02",
}

codes = sys.argv[1:]
one_by_one = Lock()


class Receive(AbstractHandler):
    def reply(self):
        with one_by_one:
            return answer(self.incoming_message, codes.pop(0) if codes else "AA")


def answer(text, code):
    sent = parse_message(text, find_groups=False)
    kind = "^".join(sent.msh.msh_9.value.split("^")[:2])
    type_ = ANSWERS.get(kind, f"ACK^{kind.split('^')[1]}^ACK")
    control = sent.msh.msh_10.value
    print(
        json.dumps({"type": kind, "control": control, "code": code, "faults": faults(text), "text": text}),
        flush=True,
    )
    reply = Message("ACK", version="2.5.1")
    reply.msh.msh_3 = "HL7APY"
    reply.msh.msh_9 = type_
    reply.msh.msh_10 = f"A{control}"[:20]
    reply.msh.msh_11 = "P"
    reply.msa = f"MSA|{code}|{control}"
    rest = orders_of(sent) if code == "AA" and kind in ANSWERS else ""
    return f"\x0b{reply.to_er7()}\r{rest}\x1c\r"


def orders_of(sent):
    return "".join(f"ORC|OK|{order.orc_2.value}|HA-1\r" for order in sent.orc)


class Any(dict):
    def __missing__(self, _type):
        return (Receive,)


server = MLLPServer("127.0.0.1", 0, Any())
print(json.dumps({"port": server.server_address[1]}), flush=True)
server.serve_forever()
