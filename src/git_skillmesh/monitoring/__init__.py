"""How the program does, what learnings catch, what became of the work: recorded here, told here."""
