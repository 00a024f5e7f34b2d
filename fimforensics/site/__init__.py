"""What stands between a case and a browser: how a served case is opened, locked, guarded and drawn.

Everything here only reads. `database` opens a case so that nothing can be written, `guard` stands around the ASGI app,
`cells` and `pages` turn values into inert HTML and template values, `tables` says what is shown where. The plugins in
`datasette_plugins/` are thin hooks into this package, so they work under plain `datasette` as well.
"""
