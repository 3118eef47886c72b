"""The domain: values, rules and verbs. No I/O, no clock, no await."""
