"""An SMTP server that keeps every mail, and a web page that shows them as a person reads them.

For the machine of a developer: it listens on 127.0.0.1 only and has no passwords.

    smtp.py     takes mails          store.py    keeps them as files, the newest 1,000
    message.py  takes them apart     frame.py    makes their HTML safe to show
    web.py      page, API, events    static/     the page itself
"""
