"""Set the board's clock in UTC and print what it was before; runs in RAM after the agent, then is discarded.

The host runs this text and then th_clock((year, month, day, weekday, hour, minute, second)), weekday 1 = Monday. One
`#th` line comes back: {"kind": "result", "before": [year, month, day, hour, minute, second], "set": true|false}.
set is false if there is no RTC (the unix port reads its host's clock).
"""


def th_clock(when):
    """Set machine.RTC to `when`, in UTC, and print its previous time."""
    # As fields, so that the epoch of the port (1970 or 2000) does not matter.
    before = (getattr(th_time, "gmtime", None) or th_time.localtime)(th_time.time())[:6]
    try:
        import machine

        rtc = machine.RTC()
    except (ImportError, AttributeError):
        th_say({"kind": "result", "before": list(before), "set": False})
        return
    try:
        # datetime() has the same order on every port, init() does not. The last item is microseconds on one port and
        # milliseconds on another: 0 is right on both.
        rtc.datetime(tuple(when) + (0,))
        answer = {"kind": "result", "before": list(before), "set": True}
    except Exception as e:
        answer = {"kind": "error", "message": type(e).__name__ + ": " + str(e)[:80]}
    th_say(answer)
