"""The settings, in groups; `config.settings.Settings` is all of them.

places     MongoDB, Redis               times      TTL, leases, retries
servers    who takes the mails          amounts    how much at once, and in what time
mails      what they say, who signs     sessions   conversations with a server, and logs
"""
