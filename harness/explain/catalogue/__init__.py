"""The catalogue: every cause as one entry, what programs print, and the way from pasted text to causes. Pure.

`causes/*.toml` has the causes: one for each rule of harness/explain, by the rule's id, and those that only a text can show.
`signs.toml` has what programs print. `facts` finds signs in a text, `answers` combines them. Must not know cases or observations.
"""
