"""From a query and a view to a ranked answer."""
