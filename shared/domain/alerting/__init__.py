"""The pure part of alerting: what people are told of a problem, when, how often, and by which channel.

`alert` is one problem over its life. `grouping` says which problems are told together, `timing_policy` when and how
often, `inhibition` which alert stands for many, `escalation` what changes as time passes, `routing` which channels
get it, `notifications` what goes out as one message, `receipts` what a channel received. Nothing here reads the clock
or stores anything.
"""
