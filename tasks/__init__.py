"""The worker: claims a mail document, composes the mail, sends it and writes down the outcome."""
