"""Reports for people: tables and progress on the terminal, charts, contact sheets and HTML pages."""
