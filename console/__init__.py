"""The secure pages: served by the product itself, opened from the chat, without any third party."""
