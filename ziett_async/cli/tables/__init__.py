"""Tables as people have them: CSV and spreadsheets, their column of numbers, their templates."""
