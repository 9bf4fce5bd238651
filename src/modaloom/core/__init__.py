"""What everything else is said in: types, shapes, random numbers, errors. Only torch; no files, no state."""
