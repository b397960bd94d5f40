"""The 32 columns of a UCM dump, as a peer must be told them: the times, the numbers; the rest is text."""

TIMES = {"start", "answer", "end"}
NUMBERS = {"AcctId", "duration", "billsec"}
NAMES = """
AcctId accountcode src dst dcontext clid channel dstchannel lastapp lastdata start answer end duration billsec
disposition amaflags uniqueid userfield channel_ext dstchannel_ext service caller_name recordfiles dstanswer
chanext dstchanext session action_owner action_type src_trunk_name dst_trunk_name
""".split()


def types(time, number, text):
    """Each name with its type."""
    return {name: time if name in TIMES else number if name in NUMBERS else text for name in NAMES}
