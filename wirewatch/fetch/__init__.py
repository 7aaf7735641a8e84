"""Fetch what a check asks for, politely and within limits, and return what came back as a capture.

Nothing in here decides what to ask or when: checks come from the store, and so does every slot, because only the
store knows what all processes and jobs do together.
"""
