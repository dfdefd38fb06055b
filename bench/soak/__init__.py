"""A backlog of N mails, and what the processes promise about it: `python -m bench.soak --help`.

run        the story: insert, wait, drain, kill, count
recorder   memory, CPU, queues and mails done, once a second
sinks      how many mails the SMTP server took, and of which recipients
urgent     mails of high priority, one after the other, and how long each takes
queries    every query of the sweep, explained
figures    what follows from the samples (pure)
promises   what must hold
report     the table, and the progress
"""
