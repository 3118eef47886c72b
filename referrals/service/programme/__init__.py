"""Programmes, and how people get on in them: phases, courses, meetings."""
