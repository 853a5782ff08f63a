"""The interface of a hook in Python: its event, parameters, log lines and verdict."""

import json
import os
import re
import sys

WORD_END = re.compile(r"([a-z0-9])(?=[A-Z])")
NO_LETTER = re.compile(r"[^A-Za-z0-9]")


def event():
    """The whole event, a dict."""
    with open("/event.json", encoding="utf-8") as file:
        return json.load(file)


def param(name, default=None):
    """One of the hook point's parameters by its documented name, such as "sizeBytes".

    It is text; a value that is not text in the event is JSON.
    """
    words = NO_LETTER.sub("_", WORD_END.sub(r"\1_", name))
    return setting("HOOK_PARAM_" + words.upper(), default)


def setting(name, default=None):
    """One of the environment variables that were set for the hook."""
    return os.environ.get(name, default)


def log(level, message, **fields):
    """Writes a line to the execution's log.

    Levels are trace, debug, info, warn and error.
    """
    print(json.dumps({"level": level, "message": message, **fields}), file=sys.stderr)


def allow(**details):
    """Allows the event; `details` are added to the verdict."""
    answer({"allow": True, **details})


def deny(reason, **details):
    """Denies the event, for a reason.

    This is not a failure: return as usual.
    """
    answer({"allow": False, "reason": reason, **details})


def answer(verdict):
    """Writes any other verdict, a dict."""
    with open("/verdict.json", "w", encoding="utf-8") as file:
        json.dump(verdict, file)


def hook(body):
    """Turns a function into the program; write it above `def Run():`.

    An exception becomes a line of the log and exit status 1.
    """

    class Run:
        def run(self):
            try:
                body()
            except Exception as error:
                place = error.__traceback__
                while place.tb_next:
                    place = place.tb_next
                file = os.path.basename(place.tb_frame.f_code.co_filename)
                log("error", f"{type(error).__name__}: {error}", at=f"{file}:{place.tb_lineno}")
                sys.exit(1)

    return Run
