"""People, their phones and posts, and the forms that they are in."""
