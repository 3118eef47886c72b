"""A matter's core: who is asked next, which organisation holds which key, what stands in chats."""
