"""The watcher: sees new mails in MongoDB and enqueues their ids; one leads, others stand by."""
