"""Log Analytics, live: what is asked for is frozen, cut into slices, pulled, counted, and handed to the case with its proof.

`kql` writes every query; `signin` and `service` lean on the Azure SDK for tokens, TLS and proxies; `answer` reads an answer's
bytes; `plan` cuts a window into slices that tile it; `fetch` pulls one slice until its rows equal the service's count; `ledger`
remembers what is there, so that a stopped pull goes on; `pull` does a window, `proof` makes its original, `collect` it all.
Nothing of this is imported by any other command, and Azure's libraries only when a query is really sent.
"""
