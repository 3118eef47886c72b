"""Contacts: asked, answered, corrected, looked back on; and one's own."""
