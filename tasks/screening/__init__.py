"""Between composing and sending: which of the mails in hand may go out now.

screen          what a screen gets and says; all of them in a row
originals       one mail for each `idempotencyKey`
suppressions    recipients that must not get mail
rate_limits     a slot for each mail, or a turn to come again
hindrances      domains that pause, a server that is away
"""
