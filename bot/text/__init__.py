"""Reading an issue's text: Markdown, references, what is said of waiting, what is declared."""
