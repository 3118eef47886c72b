"""The verbs: what people, partners, the desk and timers can do, each a function of one transaction."""
