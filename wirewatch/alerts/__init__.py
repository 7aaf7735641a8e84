"""Who wants to know what, and how it reaches them: rules, the outbox of alerts, messages, channels.

An alert is made of events that were kept; nothing here decides what changed. Rules and messages are plain functions;
only the sender and the channels do anything.
"""
