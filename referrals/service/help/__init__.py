"""From the partner's yes to its report: contact, tries, set times, threads."""
