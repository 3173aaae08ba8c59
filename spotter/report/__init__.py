"""Pages for people: timelines, tables, pictures."""
