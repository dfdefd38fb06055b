"""The mail console: a web page that shows the mails, and sends them again or stops them.

A process of its own (`python -m console`). It reads and writes through tasks.operating alone, and
knows neither Celery nor the watcher. What stands in documents is hostile: it leaves here as JSON,
and the page makes text of it, never HTML.

guard      before every request: host, session, token, size of the body; headers of every answer
sessions   who is logged in          throttle   how often a password may be tried
login      the login page            reading    the list, one mail, its parts
changing   retry, resend, cancel     frame      the HTML of a mail, for a sandboxed frame
view       Mail → JSON               history    what happened to a mail, in words
live       server-sent events        stream     the change stream behind them
figures    counts and the last hour  flower     links into Flower
templates  their page, and mails as they make them
asking     what endpoints share      app        ties them together
"""
