"""The pure part of alerting: what people are told of a problem, when, by which channel, and when again.

`alert` is one problem over its life. `grouping` says which problems are told together, `timing_policy` when and how
often, `inhibition` which alert stands for many, `escalation` what time does to an open alert, `routing` which channels
get it, `notifications` what goes out as one message. Nothing here asks for the time or keeps anything.
"""
