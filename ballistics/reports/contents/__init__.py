"""What the page, the JSON and the PDF of one result have in common."""
