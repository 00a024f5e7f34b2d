"""Every read of a case: one question, one function(connection, …) → values. Commands, pages and exports ask the same ones."""
