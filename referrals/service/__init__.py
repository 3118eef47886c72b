"""The verbs: what people, partners, the desk and timers can do. Each is a plain function of one transaction."""
