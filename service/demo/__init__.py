"""A whole network on real figures: who recognises whom since when, who is certified."""
