"""The settings of Firebase's extension "Trigger Email" → ours.

command    `python -m config import-firebase`
parameters its environment file, read as firebase-tools reads it
translate  each parameter → our variables, and what differs
  smtp_uri SMTP_CONNECTION_URI, as the extension understood it
  draft    what is collected
"""
