"""The 32 fields of a UCM record, as a peer must be told them: the times, the numbers; the rest is text."""

TIMES = {"start", "answer", "end"}
NUMBERS = {"AcctId", "duration", "billsec"}
NAMES = """
AcctId accountcode src dst dcontext clid channel dstchannel lastapp lastdata start answer end duration billsec
disposition amaflags uniqueid userfield channel_ext dstchannel_ext service caller_name recordfiles dstanswer
chanext dstchanext session action_owner action_type src_trunk_name dst_trunk_name
""".split()

# In JSON and XML an element of the document is a call: a main record, and subs, which the generator's calls
# have no more of. Records of a kind are named by it: `sub_cdr_2` is a `sub`.
MAIN_AND_SUBS = ["main_cdr", *(f"sub_cdr_{number}" for number in range(1, 5))]


def kind(name):
    return name.partition("_")[0]


def types(time, number, text):
    """Each name with its type."""
    return {name: time if name in TIMES else number if name in NUMBERS else text for name in NAMES}
