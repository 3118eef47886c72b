"""How long a yes and an agreement hold: asked in time, ended by themselves."""
