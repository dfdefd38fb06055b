"""The embedded stack of `make run` and of the tests: real servers, and an inbox for the mails."""
