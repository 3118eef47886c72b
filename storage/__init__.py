"""The database behind the domain's ports: tables, turns, sealing, outbox, audit, migrations."""
