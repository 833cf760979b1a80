"""One module a view: handles and a key in, the document that the page shows out."""
