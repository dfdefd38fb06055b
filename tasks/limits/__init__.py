"""How fast mails go out, over all workers: what these know of each other stands in Redis.

limits       which rate limits hold for a mail (pure)
permits      slots and turns by these limits, many in one call: grant.lua, late.lua, unused.lua
troubles     domains that pause, a server that is away: pause.lua, failed.lua, probe.lua
outlook      how many more mails the workers could send: outlook.lua
reasons      what a mail waits for, for a person (pure)
connect      the client                              keys    their names in Redis
"""
