"""The pure part of alerting: what people are told of a problem, when, by which channel, and when again.

`alert` is one problem over its life. `policy` has the rules that the settings make, `grouping` which problems are told
together, `inhibition` which cause stands for many, `escalation` what time does to an open alert, `routing` who hears of
it, `notifications` what goes out as one message. Nothing here asks for the time or keeps anything.
"""
