"""The state machine: every read and write of the `delivery` subdocument, and the indexes.

ids         those that name no document, and how they are compared
states      the states, phases and texts that stand in the document
admit       none → PENDING, and the time of enqueueing
claim       PENDING, RETRY, none → PROCESSING; the point of no return
keys        one document for each idempotencyKey
returns     PROCESSING → PENDING: what was not begun, or has to wait
earlier     what an automatic retry need not send again
results     outcome → the fields that say so (pure)
writer      PROCESSING → SUCCESS | ERROR, written in groups, tried until it succeeds
sweep       the queries of the leader's sweep
forged      times and lists that no watcher has written
malformed   documents in which no state can be written
indexes     the indexes all of this needs
"""
