# SPDX-License-Identifier: MIT
"""The faults: one table, and the plan that a seed makes of it. Pure; world.py carries them out.

Two lanes run side by side, so that the mail path and the recording fail at the same time. Every
fault of a lane comes once before any comes again.
"""

import dataclasses
import random

MAIL = "mail"
RECORD = "record"
LANES = (MAIL, RECORD)
PAUSE = (0.5, 3.0)  # seconds between the faults of a lane


@dataclasses.dataclass(frozen=True)
class Fault:
    name: str
    lane: str
    action: str  # a method of world.World: its value is what undoes the fault, or None
    target: str
    hold: tuple  # seconds that it lasts, least and most


FAULTS = {fault.name: fault for fault in (
    Fault("kill-milter", MAIL, "kill", "milter", (0.1, 3.0)),
    Fault("kill-policyd", MAIL, "kill", "policyd", (0.1, 2.0)),
    Fault("kill-postfix", MAIL, "kill", "postfix", (0.1, 3.0)),
    Fault("kill-master", MAIL, "kill_master", "postfix", (0.1, 2.0)),
    Fault("kill-smtpd", MAIL, "kill_daemons", "smtpd", (0.0, 0.5)),
    Fault("kill-cleanup", MAIL, "kill_daemons", "cleanup", (0.0, 0.5)),
    Fault("kill-split", MAIL, "kill_daemons", "smtp outrider-split", (0.0, 0.5)),
    Fault("kill-hop", MAIL, "kill_daemons", "smtpd 127.0.0.1:10026", (0.0, 0.5)),
    Fault("kill-qmgr", MAIL, "kill_daemons", "qmgr", (0.0, 0.5)),
    Fault("kill-pipe", MAIL, "kill_daemons", "pipe outrider-http", (0.0, 0.5)),
    Fault("kill-request", MAIL, "kill_programs", "outrider-pipe", (0.0, 0.5)),
    Fault("kill-attempt", MAIL, "kill_children", "piped", (0.0, 0.5)),
    Fault("kill-piped", MAIL, "kill", "piped", (0.1, 3.0)),
    Fault("freeze-piped", MAIL, "freeze", "piped", (1.0, 7.0)),
    Fault("restart-piped", MAIL, "stop", "piped", (0.0, 2.0)),
    Fault("freeze-milter", MAIL, "freeze", "milter", (1.0, 5.0)),
    Fault("freeze-policyd", MAIL, "freeze", "policyd", (1.0, 5.0)),
    Fault("restart-milter", MAIL, "stop", "milter", (0.0, 2.0)),
    Fault("restart-policyd", MAIL, "stop", "policyd", (0.0, 1.0)),
    Fault("restart-postfix", MAIL, "stop", "postfix", (0.0, 2.0)),
    Fault("kill-apid", MAIL, "kill", "apid", (0.1, 2.0)),
    Fault("freeze-apid", MAIL, "freeze", "apid", (1.0, 5.0)),
    Fault("restart-apid", MAIL, "stop", "apid", (0.0, 2.0)),
    Fault("fill-spool", MAIL, "fill", "spool", (5.0, 9.0)),
    Fault("kill-worker", RECORD, "kill", "worker", (0.1, 4.0)),
    Fault("kill-mariadb", RECORD, "kill", "mariadb", (0.1, 4.0)),
    Fault("freeze-worker", RECORD, "freeze", "worker", (1.0, 5.0)),
    Fault("freeze-mariadb", RECORD, "freeze", "mariadb", (1.0, 5.0)),
    Fault("restart-worker", RECORD, "stop", "worker", (0.0, 4.0)),
    Fault("restart-mariadb", RECORD, "stop", "mariadb", (0.0, 4.0)),
    Fault("kill-trackd", RECORD, "kill", "trackd", (0.1, 2.0)),
    Fault("freeze-trackd", RECORD, "freeze", "trackd", (1.0, 5.0)),
    Fault("restart-trackd", RECORD, "stop", "trackd", (0.0, 2.0)),
    Fault("fill-database", RECORD, "fill", "mariadb", (5.0, 12.0)),
)}


@dataclasses.dataclass(frozen=True)
class Step:
    pause: float  # before the fault, since the one before was undone
    fault: Fault
    hold: float
    chance: float  # 0 to 1, for what an action leaves to luck


def chosen(names):
    """The faults of a list like `kill-worker,fill-spool'; ValueError names what is not one."""
    names = [name.strip() for name in names.split(",") if name.strip()]
    for name in names:
        if name not in FAULTS:
            raise ValueError(f"there is no fault {name}; there are {' '.join(FAULTS)}")
    return [FAULTS[name] for name in names]


def plan(seed, lane, faults):
    """The endless steps of a lane; the same for the same seed and faults."""
    luck = random.Random(f"{seed}/{lane}")
    mine = [fault for fault in faults if fault.lane == lane]
    while mine:
        for fault in luck.sample(mine, len(mine)):
            yield Step(luck.uniform(*PAUSE), fault, luck.uniform(*fault.hold), luck.random())
